"""How a process counts what was asked and decided: in memory that is bounded, and so that nothing goes uncounted."""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from berth.audit.entries import MOST_CHARACTERS, Entry, Ruled
from berth.identity.policies.context import Circumstances

# Of entries that are not kept yet.
MOST_BYTES = 8 * 1024 * 1024

# A matter and how it came: the address, TLS, the VPC endpoint, the user agent, the referer.
Key = tuple[Hashable, str, bool, str | None, str | None, str | None]


@dataclass(slots=True)
class Beyond:
    """Requests of an account that there was no room for: how many were allowed, and how many refused."""

    allowed: int = 0
    refused: int = 0

    def add(self, allowed: bool, requests: int) -> None:
        if allowed:
            self.allowed += requests
        else:
            self.refused += requests


@dataclass(slots=True)
class Counted:
    """What was counted; `beyond` by account."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    beyond: dict[str, Beyond] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries or self.beyond)

    def as_numbers(self) -> "Counted":
        """The same without what was asked: all of it is beyond."""
        beyond = {account: replace(numbers) for account, numbers in self.beyond.items()}
        for entry in self.entries.values():
            of_account = beyond.setdefault(entry.ruled.principal.account, Beyond())
            of_account.add(entry.ruled.decision.allowed, entry.requests)
        return Counted(beyond=beyond)


class AuditLog:
    def __init__(self, *, is_on: bool = True, most_bytes: int = MOST_BYTES) -> None:
        self.is_on = is_on
        self._most_bytes = most_bytes
        self._counted = Counted()
        self._entries = self._counted.entries
        self._bytes = 0

    def again(
        self,
        ruled: Ruled,
        address: str,
        is_secure: bool,
        vpc_endpoint: str | None,
        user_agent: str | None,
        referer: str | None,
    ) -> bool:
        """Count a request that is like one before, by a decision that is remembered; False where there was none.

        It stands in the way of every pull from memory.
        """
        entry = self._entries.get((ruled, address, is_secure, vpc_endpoint, user_agent, referer))
        if entry is None:
            return not self.is_on
        entry.requests += 1
        entry.last_at = time.time()
        return True

    def count(self, ruled: Ruled, how: Circumstances) -> None:
        """Count a request that came so."""
        if not self.is_on:
            return
        key = (ruled.key, how.source_ip, how.secure, how.vpc_endpoint, how.user_agent, how.referer)
        entry = self._entries.get(key)
        if entry is not None:
            entry.requests += 1
            entry.last_at = time.time()
            return
        now = time.time()
        how = _shortened(how)
        self._add((*key[:4], how.user_agent, how.referer), Entry(ruled, how, 1, now, now))

    def take(self) -> Counted:
        """All that was counted since the last time; counting begins anew."""
        taken, self._counted = self._counted, Counted()
        self._entries, self._bytes = self._counted.entries, 0
        return taken

    def put_back(self, counted: Counted) -> None:
        """What was taken and could not be kept."""
        for key, entry in counted.entries.items():
            self._add(key, entry)
        for account, beyond in counted.beyond.items():
            mine = self._counted.beyond.setdefault(account, Beyond())
            mine.add(True, beyond.allowed)
            mine.add(False, beyond.refused)

    def _add(self, key: Key, entry: Entry) -> None:
        known = self._entries.get(key)
        if known is not None:
            known.add(entry)
        elif self._bytes + entry.size <= self._most_bytes:
            self._entries[key] = entry
            self._bytes += entry.size
        else:
            beyond = self._counted.beyond.setdefault(entry.ruled.principal.account, Beyond())
            beyond.add(entry.ruled.decision.allowed, entry.requests)


def _shortened(how: Circumstances) -> Circumstances:
    """With one character more than is kept, where there are more."""
    agent, referer = how.user_agent or "", how.referer or ""
    if len(agent) <= MOST_CHARACTERS and len(referer) <= MOST_CHARACTERS:
        return how
    most = MOST_CHARACTERS + 1
    return replace(how, user_agent=agent[:most] or None, referer=referer[:most] or None)
