"""ARNs of who may act: users, groups and roles, and the sessions of roles. Pure. (IAM user guide, "IAM identifiers")"""

import re
from dataclasses import dataclass
from typing import Literal, Self, cast

Kind = Literal["user", "group", "role"]

# IAM user guide, "IAM and AWS STS quotas".
_MOST_IN_PATH = 512
_MOST_IN_ROLE_NAME = 64
_IDENTITY = re.compile(
    r"arn:aws(-[a-z]+)*:iam::(?P<account>[0-9]{12}):(?P<kind>user|group|role)"
    r"(?P<path>/([!-~]+/)?)(?P<name>[\w+=,.@-]+)",
    re.ASCII,
)
_SESSION = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>[0-9]{12}):assumed-role/(?P<role>[^/]+)/(?P<name>.+)"
)


@dataclass(frozen=True, slots=True)
class IdentityArn:
    """Of a user, a group or a role, there or not. `path` begins and ends with a slash."""

    account: str
    kind: Kind
    path: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> Self | None:
        """None for what is no such ARN."""
        named = _IDENTITY.fullmatch(arn)
        if named is None:
            return None
        return cls(named["account"], cast("Kind", named["kind"]), named["path"], named["name"])

    @classmethod
    def parse_role(cls, arn: str) -> Self | None:
        """None for what can be the ARN of no role."""
        named = cls.parse(arn)
        if named is None or named.kind != "role":
            return None
        return named if len(named.path) <= _MOST_IN_PATH and len(named.name) <= _MOST_IN_ROLE_NAME else None


@dataclass(frozen=True, slots=True)
class SessionArn:
    """Of a session of a role. It tells the role's name and not its path; an account has only one role of a name."""

    partition: str
    account: str
    role: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> Self | None:
        """None for what is no such ARN."""
        named = _SESSION.fullmatch(arn)
        return cls(**named.groupdict()) if named else None

    @property
    def roles(self) -> str:
        """What the ARNs of all roles of its account begin with."""
        return f"arn:{self.partition}:iam::{self.account}:role/"
