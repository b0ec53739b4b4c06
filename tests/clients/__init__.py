"""Real clients (Docker, skopeo, the AWS CLI, Terraform, …) against a real Berth: each test is one user's errand."""
