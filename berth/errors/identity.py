"""The errors of IAM (IAM API reference, "Common errors" and those of each operation)."""

from berth.errors.base import EcrError


class MalformedPolicyDocument(EcrError):
    code = "MalformedPolicyDocument"


class PolicyTooLarge(EcrError):
    """IAM user guide, "IAM and AWS STS quotas"."""

    code = "LimitExceeded"
    status = 409
