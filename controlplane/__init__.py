"""The AWS-facing process: the JSON API of ECR and the Query API of STS."""
