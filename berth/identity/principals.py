"""A principal: who makes a request, and what the credentials that proved it say of them. Pure."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """The kinds of principals, as `aws:PrincipalType` names them."""

    ROOT = "Account"
    USER = "User"
    ROLE_SESSION = "AssumedRole"
    FEDERATED_USER = "FederatedUser"


@dataclass(frozen=True, slots=True)
class Session:
    """What temporary credentials say beside whom they are of (STS API reference, "AssumeRole", "GetSessionToken").

    Moments are seconds since 1970. `policies` are the texts of session policies and `policy_arns` those that are
    managed policies; with neither, no session policy limits it. `tags` are the session's own, by key.
    `authenticated_at` is when a second factor was given; `provider` (an ARN, or a name) vouched for them.
    `federated_by` is the id of the user by whose key a federated user got them; None: by the root's.
    """

    issued_at: int
    expires_at: int
    policies: tuple[str, ...] = ()
    policy_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    authenticated_at: int | None = None
    provider: str | None = None
    federated_by: str | None = None

    @classmethod
    def of_claims(cls, claims: Sequence[Any]) -> Self:
        issued_at, expires_at, policies, policy_arns, tags, transitive, *more = claims
        pairs = tuple((key, value) for key, value in tags)
        return cls(issued_at, expires_at, tuple(policies), tuple(policy_arns), pairs, tuple(transitive), *more)


@dataclass(frozen=True, slots=True)
class Principal:
    """IAM user guide, "IAM identifiers": what GetCallerIdentity tells of the caller, and the key that proved it.

    `arn` is that of the user, the root, the session of a role (`…:assumed-role/ROLE/NAME`) or the federated user
    (`…:federated-user/NAME`); `user_id` AIDA… of a user, AROA…:NAME of a session of a role, ACCOUNT:NAME of a federated
    user, and of the root its account. `session` is what temporary credentials say; None: the key is permanent.
    """

    account: str
    arn: str
    user_id: str
    access_key_id: str
    session: Session | None = None
    kind: Kind = field(init=False)
    # The id of the user or the role, which is there for as long as they are; None of the root. A federated user acts
    # for the user who made it one, or for the root.
    identity_id: str | None = field(init=False)
    # What tells it from all others, for memories: a text keeps its hash.
    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        before, colon, _ = self.user_id.partition(":")
        if before == self.account:
            kind, identity = (Kind.FEDERATED_USER if colon else Kind.ROOT), self.session and self.session.federated_by
        else:
            kind, identity = (Kind.ROLE_SESSION if colon else Kind.USER), before
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "identity_id", identity)
        object.__setattr__(self, "key", f"{self.access_key_id} {self.account} {self.user_id} {self.arn}")

    @classmethod
    def root(cls, account: str, access_key_id: str, session: Session | None = None) -> Self:
        return cls(account, f"arn:aws:iam::{account}:root", account, access_key_id, session)

    @classmethod
    def user(cls, account: str, arn: str, user_id: str, access_key_id: str, session: Session | None = None) -> Self:
        """The user with that ARN and that id, AIDA…."""
        return cls(account, arn, user_id, access_key_id, session)

    @classmethod
    def role_session(
        cls, account: str, role_name: str, role_id: str, name: str, access_key_id: str, session: Session
    ) -> Self:
        """The session `name` of the role with that id, AROA…."""
        arn = f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}"
        return cls(account, arn, f"{role_id}:{name}", access_key_id, session)

    @classmethod
    def federated_user(cls, account: str, name: str, access_key_id: str, session: Session) -> Self:
        """The federated user `name`, which the user `session.federated_by` made, or the root."""
        return cls(
            account, f"arn:aws:sts::{account}:federated-user/{name}", f"{account}:{name}", access_key_id, session
        )

    def claims(self) -> list[Any]:
        """All of it as JSON has it, for what is sealed and comes back."""
        session = None if self.session is None else list(astuple(self.session))
        return [self.account, self.arn, self.user_id, self.access_key_id, session]

    @classmethod
    def of_claims(cls, claims: Sequence[Any]) -> Self:
        account, arn, user_id, access_key_id, *more = claims
        # Until Berth had sessions, there was no claim about one.
        session = more[0] if more else None
        return cls(account, arn, user_id, access_key_id, None if session is None else Session.of_claims(session))
