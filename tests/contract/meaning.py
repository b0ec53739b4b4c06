"""What the model does not say of its texts: for each shape that has a meaning of its own, values that make sense."""

import json

DIGEST = "sha256:" + "0" * 64
LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9},
                "action": {"type": "expire"},
            }
        ]
    }
)
PULL = {"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [PULL]})
REPLICATE = {
    "Sid": "replicate",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": ["ecr:ReplicateImage"],
    "Resource": ["arn:aws:ecr:us-east-1:444455556666:repository/*"],
}
REGISTRY_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [REPLICATE]})
CONFIG = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": DIGEST, "size": 2}
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": []})

VALUES: dict[str, list[str]] = {
    "AccountSettingName": ["BLOB_MOUNTING"],
    "AccountSettingValue": ["ENABLED", "DISABLED"],
    "Arn": ["arn:aws:ecr:us-east-1:444455556666:repository/no/such"],
    "ArtifactType": ["application/spdx+json"],
    "BatchedOperationLayerDigest": [DIGEST],
    "CustomRoleArn": ["arn:aws:iam::444455556666:role/ecr"],
    "ImageDigest": [DIGEST],
    "ImageManifest": [MANIFEST],
    "ImageTag": ["latest", "v1.0"],
    "KmsKey": ["alias/aws/ecr"],
    "LayerDigest": [DIGEST],
    "LifecyclePolicyText": [LIFECYCLE],
    "LifecyclePolicyTextForRepositoryCreationTemplate": [LIFECYCLE, ""],
    "MediaType": [OCI_MANIFEST],
    "Region": ["us-west-2", "eu-central-1"],
    "RegistryPolicyText": [REGISTRY_POLICY],
    "RepositoryName": ["no/such", "ab"],
    "RepositoryPolicyText": [POLICY],
    "RepositoryTemplateDescription": ["for tests"],
    "TagKey": ["team", "stage"],
    "TagValue": ["blue", ""],
    "Url": ["public.ecr.aws", "quay.io", "registry.k8s.io"],
}
# Given to whoever asks for a page that was announced; none makes sense before.
OPAQUE = frozenset({"NextToken"})
