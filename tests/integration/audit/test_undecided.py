"""Requests that cannot be decided as they were, or not at all, are told of and not passed over."""

import json
from pathlib import Path
from typing import Any

from berth.audit import AuditLog, Ruled, keeping
from berth.audit.reading import Wanted
from berth.identity import kept_policies
from berth.identity.policies.compiled import Kind
from berth.identity.what_if import asking
from berth.identity.what_if.changing import InlinePolicy
from berth.identity.what_if.differences import Differences
from berth.networks.network import Network
from berth.networks.places import Places
from tests.identities import EVERYTHING, allowing, document
from tests.integration.audit.conftest import PULL, Place
from tests.unit.audit.samples import ALLOWED, how

ENDPOINT = "vpce-08d2bf15fac5001c9"


async def without_its_policy(place: Place, places: Places) -> Differences:
    change = InlinePolicy(place.account, "user", "alice", "inline", None)
    await place.keep()
    return await asking.ask(place.database, change, Wanted(how().moment.replace(year=2020), place.account), places)


async def test_an_endpoint_whose_policy_is_not_known_decides_nothing(place: Place, tmp_path: Path) -> None:
    alice = (await place.identities.user("alice", EVERYTHING)).principal
    audit, of_endpoint = AuditLog(), kept_policies.policies(Kind.ENDPOINT, [(ENDPOINT, document(EVERYTHING))])
    for action in (PULL, "ecr:ListImages"):
        through = how(vpc_endpoint=ENDPOINT, endpoint_policies=of_endpoint)
        audit.count(Ruled(alice, action, place.arn, place.arn, {}, ALLOWED), through)
    await keeping.keep(audit, place.database)
    found = await without_its_policy(place, Places({}))
    assert (found.refused, dict(found.undecided)) == (0, {asking.ENDPOINT_UNKNOWN: 2})
    file = tmp_path / "endpoint.json"
    statement: dict[str, Any] = {**allowing(PULL), "Principal": "*"}
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    found = await without_its_policy(place, Places({"office": Network(vpce=ENDPOINT, policy=file)}))
    assert (found.refused, dict(found.undecided)) == (1, {}), "what the endpoint refuses, is refused already"


async def test_what_was_recorded_in_part_is_told(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    await place.pull(alice.principal, **{"User-Agent": "a b " * 100})
    await place.pull(alice.principal, **{"User-Agent": "docker"})
    found = await without_its_policy(place, Places({}))
    assert (found.refused, found.cut) == (2, 1)


async def test_differences_are_listed_up_to_a_number_and_all_are_counted(place: Place, monkeypatch: Any) -> None:
    monkeypatch.setattr("berth.identity.what_if.differences.MOST", 2)
    alice = (await place.identities.user("alice", EVERYTHING)).principal
    audit = AuditLog()
    for number in range(5):
        arn = place.registry.arn(f"of/{number}")
        audit.count(Ruled(alice, PULL, arn, arn, {}, ALLOWED), how())
    await keeping.keep(audit, place.database)
    found = await without_its_policy(place, Places({}))
    assert (found.refused, len(list(found.newly(allowed=False))), found.unlisted) == (5, 2, 3)
