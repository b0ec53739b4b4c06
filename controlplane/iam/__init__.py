"""The operations of the IAM API, each in the file of its resource; importing this package is what marks them."""

from controlplane.iam import (
    access_keys,
    account,
    attachments,
    authorization_details,
    boundaries,
    groups,
    inline_policies,
    mfa_devices,
    mfa_tags,
    oidc_providers,
    other_credentials,
    policies,
    policy_versions,
    roles,
    simulation,
    users,
)

__all__ = [
    "access_keys",
    "account",
    "attachments",
    "authorization_details",
    "boundaries",
    "groups",
    "inline_policies",
    "mfa_devices",
    "mfa_tags",
    "oidc_providers",
    "other_credentials",
    "policies",
    "policy_versions",
    "roles",
    "simulation",
    "users",
]
