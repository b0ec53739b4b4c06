"""The IAM roles that a registry is told to act as. Pure."""

import re

from berth.errors import InvalidParameter
from berth.names import Registry

# IAM user guide, "IAM identifiers": a path of at most 512 characters and a name of at most 64.
_ROLE = re.compile(r"arn:aws(-[a-z]+)*:iam::(?P<account>[0-9]{12}):role/([!-~]{1,510}/)?[\w+=,.@-]{1,64}", re.ASCII)


def check(registry: Registry, arn: str) -> None:
    """Raises InvalidParameter for what is not the ARN of a role of the registry's account.

    ECR API reference, `customRoleArn`.
    """
    matched = _ROLE.fullmatch(arn)
    if matched is None or matched["account"] != registry.account:
        raise InvalidParameter(
            "customRoleArn", f"must be the ARN of an IAM role of the account of the registry, {registry.account}"
        )
