"""Each request that was recorded is decided anew, by today's policies and by those with the change."""

from collections.abc import Iterable
from dataclasses import replace

from berth.audit import reading
from berth.audit.reading import Kept, Wanted
from berth.database.db import Database
from berth.identity.authorize import Asked, decided
from berth.identity.policies.context import Circumstances
from berth.identity.policies.decide import Decision
from berth.identity.sts import assuming
from berth.identity.what_if.changing import Change
from berth.identity.what_if.differences import Differences
from berth.identity.what_if.policies import WhatApplies
from berth.networks.places import Places

GONE = "the principal is not there any more"
ROLE_GONE = "the role is not there any more"
ENDPOINT_UNKNOWN = "the policy of the VPC endpoint is not known here"
_OF_ROLES = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


async def ask(database: Database, change: Change, wanted: Wanted, places: Places) -> Differences:
    """Raises what making the change raises. `places` know the policies of VPC endpoints."""
    found = Differences(wanted.since)
    what_if = _Asking(WhatApplies(database, change), change, places, found)
    await what_if.applies.check()
    async for page in reading.read(database, wanted):
        await what_if.decide(page)
    found.beyond = await reading.beyond(database, wanted)
    return found


class _Undecided(Exception):
    """Why a request cannot be decided any more."""


class _Asking:
    def __init__(self, applies: WhatApplies, change: Change, places: Places, found: Differences) -> None:
        self.applies = applies
        self._change = change
        self._places = places
        self._found = found

    async def decide(self, page: list[Kept]) -> None:
        """Decide those that the change may concern."""
        self._found.requests += sum(kept.requests for kept in page)
        await self.applies.find_permits({kept.principal_id: kept.principal for kept in page if kept.principal})
        concerned = [kept for kept in page if kept.principal is not None and self._is_concerned(kept)]
        await self.applies.find_access(kept.policies_of for kept in concerned if kept.policies_of is not None)
        await self.applies.find_trust(kept.resource for kept in concerned if _is_of_role(kept))
        for kept in concerned:
            try:
                before, after = self._decisions(kept)
            except _Undecided as reason:
                self._found.undecided[str(reason)] += kept.requests
            else:
                self._found.add(kept, before, after)

    def _is_concerned(self, kept: Kept) -> bool:
        permits = self.applies.permits[kept.principal_id]
        return permits is None or permits.differ or self._change.concerns(kept.policies_of)

    def _decisions(self, kept: Kept) -> Iterable[Decision]:
        """Before and after. Raises _Undecided."""
        permits = self.applies.permits[kept.principal_id]
        if permits is None:
            raise _Undecided(GONE)
        how = self._how(kept)
        if _is_of_role(kept):
            trust = self.applies.trust[kept.resource]
            if trust is None:
                raise _Undecided(ROLE_GONE)
            both = permits.before, permits.after
            return [assuming.decided(each, kept.action, kept.resource, trust, how, kept.more) for each in both]
        on = None if kept.policies_of is None else self.applies.access[kept.policies_of]
        pairs = (
            (permits.before, None if on is None else on.before),
            (permits.after, None if on is None else on.after),
        )
        return [decided(who, Asked(kept.action, kept.resource, what, kept.more), how)[1] for who, what in pairs]

    def _how(self, kept: Kept) -> Circumstances:
        """With the policies of the endpoint that it came through. Raises _Undecided."""
        if not kept.through_policies:
            return kept.how
        place = self._places.of_endpoint(kept.how.vpc_endpoint or "")
        if place is None or place.policies is None:
            raise _Undecided(ENDPOINT_UNKNOWN)
        return replace(kept.how, endpoint_policies=place.policies)


def _is_of_role(kept: Kept) -> bool:
    """Whether the trust policy of a role is asked, too."""
    return kept.action in _OF_ROLES and ":role/" in kept.resource
