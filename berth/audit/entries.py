"""What is counted together: requests of one principal for one thing, that came alike and were decided alike. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from berth.audit.askers import Asker, size_of
from berth.identity.policies import denials
from berth.identity.policies.compiled import Ruling
from berth.identity.policies.context import Circumstances
from berth.identity.policies.decide import Decision
from berth.identity.policies.variables import Context
from berth.identity.principals import Principal

# Of a text that the client chose, so many characters are kept.
MOST_CHARACTERS = 256
# What an entry takes beside its texts, in bytes: its key, its place in a dictionary, its moments and numbers.
ENTRY_BYTES = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Ruled:
    """What somebody asked to do to what, and what was decided.

    `policies_of` is the ARN of the repository (or of all of a registry) whose policies were asked; `more` are the
    condition keys that neither the principal, nor that resource, nor the way of the request fills. `is_remembered`:
    the same object stands for all such requests, so that it is its own key.
    """

    principal: Principal | Asker
    action: str
    resource: str
    policies_of: str | None
    more: Context
    decision: Decision
    is_remembered: bool = False

    @property
    def key(self) -> Hashable:
        if self.is_remembered:
            return self
        more = tuple(self.more.items()) if self.more else ()
        return self.principal.key, self.action, self.resource, self.policies_of, more, self.decision

    @property
    def reason(self) -> str:
        return reason_of(self.action, self.decision)


def reason_of(action: str, decision: Decision) -> str:
    """The statements that decided; of a refusal in AWS's words first."""
    statements = "; ".join(map(_written, decision.rulings))
    if decision.allowed:
        return statements or "being root"
    reason = denials.reason(action, decision)
    return f"{reason}: {statements}" if statements else reason


def _written(ruling: Ruling) -> str:
    sid = f" ({ruling.rule.sid})" if ruling.rule.sid else ""
    return f"{ruling.policy.name}, statement {ruling.rule.index + 1}{sid}"


@dataclass(slots=True)
class Entry:
    """Requests that were alike, how many, and when in seconds since 1970 the first and the last of them came."""

    ruled: Ruled
    circumstances: Circumstances
    requests: int
    first_at: float
    last_at: float
    size: int = field(init=False)

    def __post_init__(self) -> None:
        ruled, how = self.ruled, self.circumstances
        texts = (ruled.resource, ruled.policies_of or "", how.user_agent or "", how.referer or "")
        more = sum(len(key) + len(str(value)) for key, value in ruled.more.items())
        self.size = ENTRY_BYTES + sum(map(len, texts)) + more + size_of(ruled.principal)

    def add(self, other: "Entry") -> None:
        self.requests += other.requests
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
