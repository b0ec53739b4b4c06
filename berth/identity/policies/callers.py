"""Who makes a request, and whether the Principal of a statement names them.

IAM user guide, "AWS JSON policy elements: Principal", "NotPrincipal".
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from berth.identity.documents.policy import NamedPrincipal


class Naming(IntEnum):
    """How closely a statement names someone. What their own policies leave open depends on it (see `decide`)."""

    NOT = 0
    # Their account, which means all in it whom its own policies allow it.
    ACCOUNT = 1
    # The role or the user that a session was made of.
    IDENTITY = 2
    # Themselves, or everybody.
    DIRECTLY = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who makes a request.

    `kind` is AWS, Service or Federated; `name` the ARN of the user, the session or the root, or the service's or
    provider's name. `identity` is the ARN of the role that a session is of (the user's, of a federated user's session).
    `other_names` are further ones of a service.
    """

    kind: str
    name: str
    account: str = ""
    identity: str | None = None
    other_names: tuple[str, ...] = ()
    root: str = field(init=False)
    is_root: bool = field(init=False)

    def __post_init__(self) -> None:
        partition = self.name.split(":", 2)[1] if self.name.startswith("arn:") else "aws"
        object.__setattr__(self, "root", f"arn:{partition}:iam::{self.account}:root")
        object.__setattr__(self, "is_root", self.kind == "AWS" and self.name == self.root)

    @classmethod
    def aws(cls, arn: str, identity: str | None = None) -> Self:
        """The user, session or root with that ARN; of a session, `identity` is its role's ARN."""
        return cls("AWS", arn, arn.split(":", 5)[4], identity)

    @classmethod
    def service(cls, name: str, *other_names: str) -> Self:
        """A service of AWS, such as `replication.ecr.amazonaws.com`."""
        return cls("Service", name, other_names=other_names)

    @classmethod
    def federated(cls, provider: str) -> Self:
        """Somebody whom an identity provider vouches for: an OIDC provider's ARN or name."""
        return cls("Federated", provider)

    @property
    def is_federated_user(self) -> bool:
        """A session of GetFederationToken, which may do nothing but what its session policies say."""
        return ":federated-user/" in self.name


class Principals:
    """The Principal of a statement, or its NotPrincipal."""

    __slots__ = ("_everybody", "_names", "_negated")

    def __init__(self, principals: tuple[NamedPrincipal, ...], *, negated: bool) -> None:
        self._negated = negated
        self._names = frozenset((principal.kind, principal.name) for principal in principals)
        self._everybody = ("AWS", "*") in self._names

    def naming(self, caller: Caller) -> Naming:
        named = Naming.DIRECTLY if self._everybody else self._named(caller)
        if not self._negated:
            return named
        return Naming.NOT if named else Naming.DIRECTLY

    def _named(self, caller: Caller) -> Naming:
        names, kind = self._names, caller.kind
        if (kind, caller.name) in names and not caller.is_root:
            return Naming.DIRECTLY
        if kind != "AWS":
            return Naming.DIRECTLY if any((kind, name) in names for name in caller.other_names) else Naming.NOT
        if caller.identity is not None and (kind, caller.identity) in names:
            return Naming.IDENTITY
        return Naming.ACCOUNT if (kind, caller.account) in names or (kind, caller.root) in names else Naming.NOT
