"""The IAM roles that a registry is told to act as. Pure."""

from berth.errors import InvalidParameter
from berth.identity.arns import IdentityArn
from berth.names import Registry


def check(registry: Registry, arn: str) -> None:
    """Raises InvalidParameter for what is not the ARN of a role of the registry's account.

    ECR API reference, `customRoleArn`.
    """
    role = IdentityArn.parse_role(arn)
    if role is None or role.account != registry.account:
        raise InvalidParameter(
            "customRoleArn", f"must be the ARN of an IAM role of the account of the registry, {registry.account}"
        )
