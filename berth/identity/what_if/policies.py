"""The policies that requests are decided by, without the change and with it; remembered within bounds."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from berth.database.db import Database
from berth.identity import access, own_policies
from berth.identity.access import Access
from berth.identity.own_policies import Own
from berth.identity.permits import Permits
from berth.identity.policies.compiled import Policies
from berth.identity.principals import Principal, Session
from berth.identity.sts import assuming
from berth.identity.what_if.changing import Change
from berth.identity.what_if.trial import is_overtaken, trying
from berth.names import Registry

# Findings of each kind that are remembered: more than a page asks for.
REMEMBERED = 1000
# While a change is tried, nobody else makes another to the same: for no longer than this many look-ups.
TRIED_AT_ONCE = 100
_TRIES = 5
_SESSION_SECONDS = 3600

Found = TypeVar("Found")
Value = TypeVar("Value")
Find = Callable[[Database, Value], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class Both(Generic[Found]):
    """Without the change, and with it."""

    before: Found
    after: Found

    @property
    def differ(self) -> bool:
        return self.before is not self.after


class Remembered(Generic[Found]):
    """The findings that were asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Found] = OrderedDict()

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those that are to be looked for; the others are kept until that is done."""
        unknown = []
        for key in dict.fromkeys(keys):
            if key in self._kept:
                self._kept.move_to_end(key)
            else:
                unknown.append(key)
        return unknown

    def keep(self, found: Mapping[str, Found]) -> None:
        self._kept.update(found)
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    def __getitem__(self, key: str) -> Found:
        return self._kept[key]


class WhatApplies:
    """Finds what applies to requests in the database, and what would apply if the change were made."""

    def __init__(self, database: Database, change: Change) -> None:
        self._database = database
        self._change = change
        # None: the principal is not there any more.
        self.permits: Remembered[Both[Permits] | None] = Remembered()
        self.access: Remembered[Both[Access]] = Remembered()
        # Of a role; None: it is not there any more.
        self.trust: Remembered[Policies | None] = Remembered()

    async def check(self) -> None:
        """Raises what making the change raises."""
        await self._tried(_own, {})

    async def find_permits(self, principals: Mapping[str, Principal]) -> None:
        """By the ids under which they are recorded."""
        missing = self.permits.missing(principals)
        for start in range(0, len(missing), TRIED_AT_ONCE):
            await self._find_permits({key: principals[key] for key in missing[start : start + TRIED_AT_ONCE]})

    async def _find_permits(self, wanted: Mapping[str, Principal]) -> None:
        found = await self._found(_own, wanted, may_differ=not self._change.is_of_resources)
        both = {key: _both_permits(each, found.before[key], found.after[key]) for key, each in wanted.items()}
        self.permits.keep(both)

    async def find_access(self, arns: Iterable[str]) -> None:
        """Of repositories and registries."""
        wanted = {arn: arn for arn in self.access.missing(arns)}
        if not wanted:
            return
        found = await self._found(_access, wanted, may_differ=self._change.is_of_resources)
        self.access.keep({arn: Both(found.before[arn], found.after[arn]) for arn in wanted})

    async def find_trust(self, arns: Iterable[str]) -> None:
        """Of roles, by their ARNs."""
        found = {arn: await assuming.find(self._database, arn) for arn in self.trust.missing(arns)}
        self.trust.keep({arn: None if role is None else assuming.trust_of(role) for arn, role in found.items()})

    async def _found(
        self, find: Find[Value, Found], wanted: Mapping[str, Value], *, may_differ: bool
    ) -> Both[dict[str, Found]]:
        if may_differ:
            return await self._tried(find, wanted)
        found = {key: await find(self._database, each) for key, each in wanted.items()}
        return Both(found, found)

    async def _tried(self, find: Find[Value, Found], wanted: Mapping[str, Value]) -> Both[dict[str, Found]]:
        """What is found before the change and after it, in one transaction, of which nothing stays."""
        for _ in range(_TRIES - 1):
            try:
                return await self._try(find, wanted)
            except DBAPIError as error:
                # Somebody changes the same just now.
                if not is_overtaken(error):
                    raise
        return await self._try(find, wanted)

    async def _try(self, find: Find[Value, Found], wanted: Mapping[str, Value]) -> Both[dict[str, Found]]:
        async with trying(self._database) as trial:
            before = {key: await find(trial, each) for key, each in wanted.items()}
            await self._change.make(trial)
            return Both(before, {key: await find(trial, each) for key, each in wanted.items()})


async def _own(database: Database, principal: Principal) -> Own | None:
    """What the principal has, whether the access key of then is there or not."""
    now = int(time.time())
    session = principal.session or Session(now, now + _SESSION_SECONDS)
    return await own_policies.find(database, replace(principal, session=session))


async def _access(database: Database, arn: str) -> Access:
    parts = arn.split(":", 5)
    registry = Registry.parse(parts[4], parts[3])
    return await access.find(database, registry, parts[5].removeprefix("repository/"))


def _both_permits(principal: Principal, before: Own | None, after: Own | None) -> Both[Permits] | None:
    """The same object twice, where the change changes nothing for the principal."""
    if before is None or after is None:
        return None
    permits = Permits(principal, before)
    return Both(permits, permits if after == before else Permits(principal, after))
