"""The operations of the ECR API, each in the file of its resource; importing this package is what marks them."""

from controlplane.ecr import (
    authorization,
    image_lists,
    images,
    layers,
    lifecycle,
    policies,
    registry_policy,
    replication,
    repositories,
    scanning,
    settings,
    signing,
    storage_classes,
    tags,
    templates,
    upstreams,
)

__all__ = [
    "authorization",
    "image_lists",
    "images",
    "layers",
    "lifecycle",
    "policies",
    "registry_policy",
    "replication",
    "repositories",
    "scanning",
    "settings",
    "signing",
    "storage_classes",
    "tags",
    "templates",
    "upstreams",
]
