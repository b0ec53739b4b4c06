"""ARNs of who may act: roots, users, groups, roles and their sessions. Pure. (IAM user guide, "IAM identifiers")"""

import re
from dataclasses import dataclass
from typing import Literal, Self, cast

Kind = Literal["user", "group", "role"]

# IAM user guide, "IAM and AWS STS quotas".
_MOST_IN_PATH = 512
_MOST_IN_ROLE_NAME = 64
_PARTITION = "aws(?:-[a-z]+)*"
_NAME = r"[\w+=,.@-]+"
_IDENTITY = re.compile(
    rf"arn:{_PARTITION}:iam::(?P<account>[0-9]{{12}}):(?P<kind>user|group|role)"
    rf"(?P<path>/([!-~]+/)?)(?P<name>{_NAME})",
    re.ASCII,
)
_SESSION = re.compile(
    rf"arn:(?P<partition>{_PARTITION}):sts::(?P<account>[0-9]{{12}}):assumed-role/(?P<role>{_NAME})/(?P<name>{_NAME})",
    re.ASCII,
)
_ROOT = re.compile(rf"arn:{_PARTITION}:iam::(?P<account>[0-9]{{12}}):root")


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


def account_of_root(arn: str) -> str | None:
    """The account whose root has that ARN; None for what is no root's."""
    named = _ROOT.fullmatch(arn)
    return named["account"] if named else None
