"""What comes out: the requests that the change would refuse or allow, those that are alike counted together. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from berth.audit.entries import reason_of
from berth.audit.reading import Kept
from berth.identity.policies.decide import Decision

# Differences that are told apart; the requests of all others are counted.
MOST = 10_000


@dataclass(slots=True)
class Difference:
    """Requests that are decided otherwise with the change; the reasons name the statements that decide."""

    principal: str
    action: str
    resource: str
    allowed: bool
    reason: str
    reason_before: str
    requests: int
    last_at: datetime


@dataclass(slots=True)
class Differences:
    """`refused` and `allowed` count the requests that newly would be; `undecided` those that cannot be decided, by why.

    `cut` of the requests that were decided had a text that was recorded in part; `beyond` were counted and no more;
    `unlisted` are decided otherwise, and of too many kinds to be listed.
    """

    since: datetime
    requests: int = 0
    refused: int = 0
    allowed: int = 0
    cut: int = 0
    beyond: int = 0
    unlisted: int = 0
    undecided: Counter[str] = field(default_factory=Counter)
    _found: dict[tuple[str, ...], Difference] = field(default_factory=dict)

    def add(self, kept: Kept, before: Decision, after: Decision) -> None:
        """What was decided of requests that were alike."""
        if kept.is_cut:
            self.cut += kept.requests
        if before.allowed == after.allowed:
            return
        if after.allowed:
            self.allowed += kept.requests
        else:
            self.refused += kept.requests
        reasons = reason_of(kept.action, after), reason_of(kept.action, before)
        key = (kept.arn, kept.action, kept.resource, *reasons)
        known = self._found.get(key)
        if known is not None:
            known.requests += kept.requests
            known.last_at = max(known.last_at, kept.last_at)
        elif len(self._found) < MOST:
            what = kept.arn, kept.action, kept.resource
            self._found[key] = Difference(*what, after.allowed, *reasons, kept.requests, kept.last_at)
        else:
            self.unlisted += kept.requests

    def newly(self, *, allowed: bool) -> Iterable[Difference]:
        """The most frequent first."""
        found = [each for each in self._found.values() if each.allowed == allowed]
        return sorted(found, key=lambda each: (-each.requests, each.principal, each.action, each.resource))
