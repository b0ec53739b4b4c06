"""The operations of the IAM API, each in the file of its resource; importing this package is what marks them."""

from controlplane.iam import access_keys, account, groups, other_credentials, users

__all__ = ["access_keys", "account", "groups", "other_credentials", "users"]
