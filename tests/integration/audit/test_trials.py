"""A change that is asked about is made in a transaction of which nothing stays, beside those that are made for good."""

import asyncio

import pytest
from sqlalchemy import select

from berth import registries
from berth.audit.reading import Wanted
from berth.identity.directory import identities, inline_policies, service_control
from berth.identity.what_if import asking, policies
from berth.identity.what_if.changing import InlinePolicy, ServiceControl
from berth.identity.what_if.trial import Trial, trying
from berth.networks.places import Places
from berth.schema import inline_policies as table
from tests.identities import EVERYTHING, allowing, document
from tests.integration.audit.conftest import PULL, Place, told
from tests.unit.audit.samples import how

LONG_AGO = how().moment.replace(year=2020)


async def test_what_is_tried_is_seen_in_the_trial_and_nowhere_else(place: Place) -> None:
    await place.identities.user("alice", EVERYTHING)
    alice = await identities.get(place.database, place.account, "user", "alice")
    async with trying(place.database) as trial:
        await inline_policies.put(trial, place.account, "user", "alice", "other", document(allowing(PULL)))
        assert await inline_policies.all_of(trial, alice) == ["inline", "other"]
        assert await inline_policies.all_of(place.database, alice) == ["inline"]
        await registries.set_policy(trial, place.registry, "{}")
    assert await inline_policies.all_of(place.database, alice) == ["inline"]
    async with place.database.reading() as connection:
        assert (await connection.scalars(select(table.c.name).where(table.c.identity_id == alice.id))).all() == [
            "inline"
        ]


async def test_a_trial_sees_one_moment(place: Place) -> None:
    """What others change meanwhile is no effect of the change."""
    async with trying(place.database) as trial:
        before = await service_control.of(trial, place.account)
        await service_control.put(place.database, place.account, {"guard": document(allowing(PULL))})
        assert await service_control.of(trial, place.account) == before


async def test_a_change_that_is_overtaken_is_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    assert await place.pull(alice.principal) == 200
    await place.keep()
    change, tries = InlinePolicy(place.account, "user", "alice", "inline", document(allowing("ecr:Put*"))), []
    make = InlinePolicy.make

    async def overtaken(self: InlinePolicy, database: Trial) -> None:
        tries.append(self)
        if len(tries) < 3:
            await place.identities.let("user", "alice", EVERYTHING, allowing(str(len(tries)) + ":x"))
        await make(self, database)

    monkeypatch.setattr(InlinePolicy, "make", overtaken)
    found = await asking.ask(place.database, change, Wanted(LONG_AGO, place.account), Places({}))
    assert len(tries) >= 3
    assert found.refused == 1


async def test_those_who_ask_and_those_who_change_do_not_stop_each_other(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    await place.pull(alice.principal)
    await place.keep()

    async def ask() -> int:
        change = ServiceControl(place.account, "guard", document(allowing("ecr:Put*")))
        found = await asking.ask(place.database, change, Wanted(LONG_AGO, place.account), Places({}))
        return found.refused

    async def change() -> None:
        for number in range(10):
            await place.identities.let("user", "alice", EVERYTHING, allowing(f"of:{number}"))

    *refused, _ = await asyncio.gather(*(ask() for _ in range(3)), change())
    assert refused == [0, 0, 0], "FullAWSAccess still allows it"


async def test_memory_is_bounded_where_there_are_more_principals_than_are_remembered(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "REMEMBERED", 500)
    monkeypatch.setattr(policies, "TRIED_AT_ONCE", 2)
    for number in range(5):
        user = await place.identities.user(f"user{number}", allowing(PULL))
        assert await place.pull(user.principal) == 200
    answer = await place.what_if(
        "--of", f"arn:aws:iam::{place.account}:user/user3", "--inline-policy", "inline", "--without"
    )
    assert told(answer["refused"]) == {("user3", PULL): 1}
    remembered: policies.Remembered[int] = policies.Remembered()
    for number in range(1200):
        remembered.keep({str(number): number})
    assert remembered.missing(["0", "1199"]) == ["0"]
    assert len(remembered._kept) == 500
