"""Who asked, as the audit log keeps it: enough to find what they may do again, and nothing that proves who they are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from berth.identity.principals import Principal

# Sessions of one name that were begun in the same hour are taken for one: each job of CI begins a session.
SESSION_GRAIN = 3600


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody without credentials of ours, by the ARN of the provider that vouches for them in an account."""

    account: str
    arn: str

    @property
    def key(self) -> str:
        return f"{self.account} {self.arn}"


def size_of(asker: Principal | Asker) -> int:
    """The characters of what a session says, which nobody else may have said."""
    session = asker.session if isinstance(asker, Principal) else None
    if session is None:
        return len(asker.arn)
    tags = sum(len(key) + len(value) for key, value in session.tags)
    return len(asker.arn) + tags + sum(map(len, (*session.policies, *session.policy_arns)))


def claims_of(asker: Principal | Asker) -> dict[str, Any]:
    """What is kept. The id of the access key is none of it, nor when the credentials expire."""
    if isinstance(asker, Asker):
        return {"provider": asker.arn}
    session = asker.session
    if session is not None:
        begun = session.issued_at - session.issued_at % SESSION_GRAIN
        session = replace(session, issued_at=begun, expires_at=begun)
    return {"principal": replace(asker, access_key_id="", session=session).claims()}


def principal_of(claims: Mapping[str, Any]) -> Principal | None:
    """The principal of what was kept; None for whom a provider vouched for."""
    return Principal.of_claims(claims["principal"]) if "principal" in claims else None
