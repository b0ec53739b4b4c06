"""The operations of the ECR API, each in the file of its resource; importing this package is what marks them."""

from controlplane.ecr import (
    authorization,
    image_lists,
    images,
    layers,
    lifecycle,
    policies,
    repositories,
    scanning,
    settings,
    tags,
)

__all__ = [
    "authorization",
    "image_lists",
    "images",
    "layers",
    "lifecycle",
    "policies",
    "repositories",
    "scanning",
    "settings",
    "tags",
]
