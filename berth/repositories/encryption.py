"""The encryption configuration of a repository: what was asked for, with its key as an ARN. Pure."""

import re
from collections.abc import Mapping

from berth.errors import InvalidParameter
from berth.names import Registry

AES256: Mapping[str, str] = {"encryptionType": "AES256"}
# ECR API reference, "EncryptionConfiguration": the alias, the key id or the ARN of a key of the same region.
_KEY_ID = r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
_ALIAS = r"alias/[a-zA-Z0-9/_-]{1,250}"
_ARN = re.compile(rf"arn:(?P<partition>aws[a-z-]*):kms:(?P<region>[a-z0-9-]+):[0-9]{{12}}:(?:key/{_KEY_ID}|{_ALIAS})")
_PARAMETER = "encryptionConfiguration.kmsKey"


def parse(registry: Registry, given: Mapping[str, str]) -> dict[str, str]:
    """The configuration as it is kept and shown. Raises InvalidParameter.

    Without a key, KMS means the one that AWS manages for ECR, which has the alias aws/ecr in every account.
    """
    kind = given["encryptionType"]
    key = given.get("kmsKey")
    if kind == AES256["encryptionType"]:
        if key is not None:
            raise InvalidParameter(_PARAMETER, "KMS key cannot be specified with the encryption type AES256")
        return dict(AES256)
    return {"encryptionType": kind, "kmsKey": _arn(registry, key or "alias/aws/ecr")}


def _arn(registry: Registry, key: str) -> str:
    if matched := _ARN.fullmatch(key):
        if matched["region"] != registry.region:
            raise InvalidParameter(_PARAMETER, f"The key must be in the region of the repository, {registry.region}")
        return key
    prefix = f"arn:{registry.partition}:kms:{registry.region}:{registry.account}:"
    if re.fullmatch(_KEY_ID, key):
        return f"{prefix}key/{key}"
    if re.fullmatch(_ALIAS, key):
        return prefix + key
    raise InvalidParameter(_PARAMETER, "must be the ARN, the id or the alias (alias/NAME) of a KMS key")
