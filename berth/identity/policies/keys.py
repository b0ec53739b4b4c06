"""The condition keys that Berth fills, and of which type each is.

IAM user guide, "AWS global condition context keys"; service authorization reference, "Condition keys for Amazon
Elastic Container Registry".
"""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """As the service authorization reference names them; it writes `ArrayOf…` where there may be several values."""

    STRING = "String"
    NUMERIC = "Numeric"
    DATE = "Date"
    BOOL = "Bool"
    IP_ADDRESS = "IPAddress"
    ARN = "ARN"


@dataclass(frozen=True, slots=True)
class Key:
    """`name` is written as AWS writes it; one that ends in a slash stands for all with that beginning."""

    name: str
    type: Type
    several: bool = False


KEYS = (
    Key("aws:CurrentTime", Type.DATE),
    Key("aws:EpochTime", Type.DATE),
    Key("aws:FederatedProvider", Type.STRING),
    Key("aws:MultiFactorAuthAge", Type.NUMERIC),
    Key("aws:MultiFactorAuthPresent", Type.BOOL),
    Key("aws:PrincipalAccount", Type.STRING),
    Key("aws:PrincipalArn", Type.ARN),
    Key("aws:PrincipalIsAWSService", Type.BOOL),
    Key("aws:PrincipalOrgID", Type.STRING),
    Key("aws:PrincipalOrgPaths", Type.STRING, several=True),
    Key("aws:PrincipalServiceName", Type.STRING),
    Key("aws:PrincipalServiceNamesList", Type.STRING, several=True),
    Key("aws:PrincipalTag/", Type.STRING),
    Key("aws:PrincipalType", Type.STRING),
    Key("aws:Referer", Type.STRING),
    Key("aws:RequestTag/", Type.STRING),
    Key("aws:RequestedRegion", Type.STRING),
    Key("aws:ResourceAccount", Type.STRING),
    Key("aws:ResourceTag/", Type.STRING),
    Key("aws:SecureTransport", Type.BOOL),
    Key("aws:SourceAccount", Type.STRING),
    Key("aws:SourceArn", Type.ARN),
    Key("aws:SourceIdentity", Type.STRING),
    Key("aws:SourceIp", Type.IP_ADDRESS),
    Key("aws:SourceVpc", Type.STRING),
    Key("aws:SourceVpce", Type.STRING),
    Key("aws:TagKeys", Type.STRING, several=True),
    Key("aws:TokenIssueTime", Type.DATE),
    Key("aws:UserAgent", Type.STRING),
    Key("aws:ViaAWSService", Type.BOOL),
    Key("aws:VpcSourceIp", Type.IP_ADDRESS),
    Key("aws:userid", Type.STRING),
    Key("aws:username", Type.STRING),
    Key("ecr:AccountSetting", Type.STRING),
    Key("ecr:ResourceTag/", Type.STRING),
)
_BY_NAME = {key.name.lower(): key for key in KEYS}


def find(name: str) -> Key | None:
    """The key of that name, without regard to case. None: Berth never fills it."""
    beginning, slash, _ = name.lower().partition("/")
    return _BY_NAME.get(beginning + slash)
