"""The tables, each in the file of its room."""

from berth.schema.audit import audited_hours, audited_principals, audited_requests
from berth.schema.identity import (
    access_keys,
    accounts,
    group_members,
    identities,
    inline_policies,
    keyring,
    mfa_devices,
    oidc_providers,
    policies,
    policy_attachments,
    policy_versions,
    service_control_policies,
)
from berth.schema.images import image_references, images, tags
from berth.schema.layers import layers, repository_layers, uploads
from berth.schema.lifecycle import lifecycle_preview_results, lifecycle_previews
from berth.schema.recovery import deleted_image_references, deleted_images
from berth.schema.registries import pull_time_exclusions, registries, replication_backfills
from berth.schema.repositories import repositories
from berth.schema.scanning import registry_scanning
from berth.schema.tables import metadata
from berth.schema.templates import repository_creation_templates
from berth.schema.throttling import throttles
from berth.schema.upstreams import pull_through_cache_rules

__all__ = [
    "access_keys",
    "accounts",
    "audited_hours",
    "audited_principals",
    "audited_requests",
    "deleted_image_references",
    "deleted_images",
    "group_members",
    "identities",
    "image_references",
    "images",
    "inline_policies",
    "keyring",
    "layers",
    "lifecycle_preview_results",
    "lifecycle_previews",
    "metadata",
    "mfa_devices",
    "oidc_providers",
    "policies",
    "policy_attachments",
    "policy_versions",
    "pull_through_cache_rules",
    "pull_time_exclusions",
    "registries",
    "registry_scanning",
    "replication_backfills",
    "repositories",
    "repository_creation_templates",
    "repository_layers",
    "service_control_policies",
    "tags",
    "throttles",
    "uploads",
]
