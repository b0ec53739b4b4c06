"""Policies of every kind on the data plane: what each allows and denies, in whose words, and under which conditions."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from berth import registries
from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.directory import attachments, boundaries, customer_policies, groups
from berth.identity.principals import Principal
from berth.names import Registry
from berth.repositories import Repository, documents
from berth.sealing import Seal
from tests.identities import EVERYTHING, Identities, allowing, denying, document
from tests.integration.dataplane.conftest import Answer, RegistryClient

Make = Callable[..., Awaitable[Repository]]
NAME = "team/app"
MANIFEST = f"{NAME}/manifests/v1"
GET = "ecr:BatchGetImage"


@dataclass(frozen=True)
class Scene:
    database: Database
    identities: Identities
    registry: Registry
    ask_once: Callable[..., Awaitable[Answer]]

    async def ask(self, principal: Principal, **headers: str) -> Answer:
        """How the manifest is given to the principal, who asks twice: what is remembered is no different."""
        first, again = [await self.ask_once(principal, **headers) for _ in range(2)]
        assert (first.status, first.body) == (again.status, again.body)
        return again

    async def write_on_the_repository(self, effect: str, principal: Any, action: str = GET, **more: Any) -> None:
        text = document({"Effect": effect, "Principal": principal, "Action": action, **more})
        await documents.set_policy(self.database, self.registry, NAME, text)

    async def write_on_the_registry(self, effect: str, principal: Any, action: str = GET) -> None:
        statement = {"Effect": effect, "Principal": principal, "Action": action, "Resource": self.registry.arn("*")}
        await registries.set_policy(self.database, self.registry, document(statement))

    async def managed(self, *statements: dict[str, Any]) -> str:
        text = document(*statements)
        await customer_policies.create(self.database, self.registry.account, "/of/", "managed", text, tags={})
        return f"arn:aws:iam::{self.registry.account}:policy/of/managed"


@pytest.fixture
async def scene(
    client: RegistryClient,
    database: Database,
    seal: Seal,
    registry: Registry,
    root_key: AccessKey,
    make_repository: Make,
) -> AsyncIterator[Scene]:
    """A repository with an image in it, and whoever asks for that."""
    await make_repository(NAME)
    await client.push_image(NAME, "v1")
    keyring = await load_keyring(database, seal)
    async with aiohttp.ClientSession() as session:
        asking = replace(client, session=session)

        async def ask_once(principal: Principal, **headers: str) -> Answer:
            password = aiohttp.encode_basic_auth("AWS", keyring.close_password(principal)[0])
            return await asking.send("GET", MANIFEST, headers={"Authorization": password, **headers})

        yield Scene(database, Identities(database, seal, root_key.principal.account), registry, ask_once)


@pytest.fixture
async def stranger(database: Database, seal: Seal) -> Identities:
    """Another account."""
    account = f"{time.monotonic_ns() % 10**12:012}"
    await access_keys.create_root(database, seal, account)
    return Identities(database, seal, account)


def refused(answer: Answer) -> str:
    """How it is refused: what AWS's text ends with."""
    assert answer.status == 403
    assert answer.error["code"] == "DENIED"
    message = answer.error["message"]
    assert " is not authorized to perform: " in message
    return " because ".join(message.split(" because ")[1:]) or message.rpartition(" with an ")[2]


async def test_each_kind_of_policy_denies_in_its_own_words(scene: Scene) -> None:
    alice = (await scene.identities.user("alice", EVERYTHING)).principal
    assert (await scene.ask(alice)).status == 200
    await scene.write_on_the_repository("Deny", {"AWS": alice.arn})
    assert refused(await scene.ask(alice)) == "explicit deny in a resource-based policy"
    await documents.remove_policy(scene.database, scene.registry, NAME)
    await scene.write_on_the_registry("Deny", "*")
    assert refused(await scene.ask(alice)) == "explicit deny in a resource-based policy"
    await registries.remove_policy(scene.database, scene.registry)
    await boundaries.put(
        scene.database, scene.registry.account, "user", "alice", await scene.managed(EVERYTHING, denying(GET))
    )
    assert refused(await scene.ask(alice)) == "explicit deny in a permissions boundary"
    await boundaries.remove(scene.database, scene.registry.account, "user", "alice")
    await scene.identities.control(EVERYTHING, denying(GET))
    assert refused(await scene.ask(alice)) == "explicit deny in a service control policy"


async def test_what_no_policy_of_a_kind_allows_is_refused_in_that_kinds_words(scene: Scene) -> None:
    alice = (await scene.identities.user("alice")).principal
    assert refused(await scene.ask(alice)) == f"no identity-based policy allows the {GET} action"
    await scene.identities.let("user", "alice", EVERYTHING)
    limit = await scene.managed(allowing("ecr:PutImage"))
    await boundaries.put(scene.database, scene.registry.account, "user", "alice", limit)
    assert refused(await scene.ask(alice)) == f"no permissions boundary allows the {GET} action"
    await boundaries.remove(scene.database, scene.registry.account, "user", "alice")
    limited = await scene.identities.role_session("puller", EVERYTHING, policies=(document(allowing("ecr:PutImage")),))
    assert refused(await scene.ask(limited)) == f"no session policy allows the {GET} action"
    await scene.identities.control(allowing("ecr:PutImage"))
    assert refused(await scene.ask(alice)) == f"no service control policy allows the {GET} action"


async def test_the_root_may_do_all_in_its_account_but_what_the_account_may_not(
    scene: Scene, root_key: AccessKey
) -> None:
    assert (await scene.ask(root_key.principal)).status == 200
    await scene.identities.control(EVERYTHING, denying(GET))
    assert refused(await scene.ask(root_key.principal)) == "explicit deny in a service control policy"


async def test_what_is_attached_to_a_user_or_to_a_group_of_theirs_allows(scene: Scene) -> None:
    account, arn = scene.registry.account, await scene.managed(allowing(GET))
    alice = (await scene.identities.user("alice")).principal
    await attachments.attach(scene.database, account, "user", "alice", arn)
    assert (await scene.ask(alice)).status == 200
    bob = (await scene.identities.user("bob")).principal
    await groups.create(scene.database, account, "/", "pullers")
    await attachments.attach(scene.database, account, "group", "pullers", arn)
    await groups.add(scene.database, account, "pullers", "bob")
    assert (await scene.ask(bob)).status == 200


async def test_managed_policies_of_aws_say_what_they_say_there(scene: Scene) -> None:
    account = scene.registry.account
    reader = (await scene.identities.user("reader")).principal
    arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    await attachments.attach(scene.database, account, "user", "reader", arn)
    assert (await scene.ask(reader)).status == 200
    limited = await scene.identities.role_session("puller", EVERYTHING, policy_arns=(arn,))
    assert (await scene.ask(limited)).status == 200
    arn = "arn:aws:iam::aws:policy/AWSDenyAll"
    nothing = await scene.identities.role_session("nothing", EVERYTHING, policy_arns=(arn,))
    assert (await scene.ask(nothing)).status == 403


async def test_somebody_named_by_the_repository_needs_no_policy_of_their_own(scene: Scene) -> None:
    alice = (await scene.identities.user("alice")).principal
    session = await scene.identities.role_session("puller")
    for principal, named in (
        (alice, alice.arn),
        (session, session.arn),
        (session, f"arn:aws:iam::{scene.registry.account}:role/puller"),
        (alice, "*"),
    ):
        await scene.write_on_the_repository("Allow", {"AWS": named})
        assert (await scene.ask(principal)).status == 200
    # The account means all in it whom their own policies allow it.
    await scene.write_on_the_repository("Allow", {"AWS": scene.registry.account})
    assert refused(await scene.ask(alice)) == f"no identity-based policy allows the {GET} action"


async def test_somebody_of_another_account_needs_both(scene: Scene, stranger: Identities) -> None:
    eve = (await stranger.user("eve")).principal
    assert refused(await scene.ask(eve)) == f"no identity-based policy allows the {GET} action"
    await scene.write_on_the_repository("Allow", {"AWS": f"arn:aws:iam::{stranger.account}:root"})
    assert refused(await scene.ask(eve)) == f"no identity-based policy allows the {GET} action"
    await stranger.let("user", "eve", allowing(GET, resource=scene.registry.arn(NAME)))
    assert (await scene.ask(eve)).status == 200
    await scene.write_on_the_repository("Allow", {"AWS": scene.registry.account})
    assert refused(await scene.ask(eve)) == f"no resource-based policy allows the {GET} action"
    await scene.write_on_the_registry("Allow", {"AWS": stranger.account})
    assert (await scene.ask(eve)).status == 200
    await stranger.control(EVERYTHING, denying("ecr:*"))
    assert refused(await scene.ask(eve)) == "explicit deny in a service control policy"


LOCAL = {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}


@pytest.mark.parametrize(
    ("condition", "allows"),
    [
        (LOCAL, True),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
        ({"NotIpAddress": LOCAL["IpAddress"]}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
        ({"StringLike": {"aws:UserAgent": "docker/*"}}, True),
        ({"StringLike": {"aws:UserAgent": "podman/*"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "b"}}, False),
        ({"StringEquals": {"aws:username": "alice"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, False),
        ({"Null": {"aws:SourceVpce": "true"}}, True),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, False),
        ({"Null": {"aws:MultiFactorAuthPresent": "false"}}, False),
    ],
)
async def test_conditions_are_looked_at(scene: Scene, condition: dict[str, Any], allows: bool) -> None:
    key = await scene.identities.user("alice", allowing(GET, Condition=condition), tags={"team": "a"})
    answer = await scene.ask(key.principal, **{"User-Agent": "docker/27.0"})
    assert answer.status == (200 if allows else 403)


async def test_a_condition_that_differs_with_each_request_is_looked_at_each_time(scene: Scene) -> None:
    only = {"Condition": {"StringLike": {"aws:UserAgent": "docker/*"}}}
    alice = (await scene.identities.user("alice", allowing(GET, **only))).principal
    for agent, status in (("docker/27", 200), ("crane", 403), ("docker/28", 200), ("crane", 403)):
        assert (await scene.ask(alice, **{"User-Agent": agent})).status == status
    until = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    only = {"Condition": {"DateLessThan": {"aws:CurrentTime": until}}}
    bob = (await scene.identities.user("bob", allowing(GET, **only))).principal
    assert (await scene.ask(bob)).status == 200
    deadline = time.monotonic() + 30
    while (answer := await scene.ask_once(bob)).status == 200:
        assert time.monotonic() < deadline
    assert refused(answer) == f"no identity-based policy allows the {GET} action"


async def test_a_variable_stands_for_who_asks(scene: Scene) -> None:
    own = allowing(GET, resource=scene.registry.arn("${aws:PrincipalTag/team}/*"))
    ours = await scene.identities.user("ours", own, tags={"team": "team"})
    theirs = await scene.identities.user("theirs", own, tags={"team": "other"})
    assert (await scene.ask(ours.principal)).status == 200
    assert (await scene.ask(theirs.principal)).status == 403
    session = await scene.identities.role_session("puller", own, tags=(("team", "team"),))
    assert (await scene.ask(session)).status == 200


async def test_the_scope_of_a_registry_policy_says_whom_it_is_asked_about(scene: Scene) -> None:
    alice = (await scene.identities.user("alice")).principal
    await scene.write_on_the_registry("Allow", {"AWS": alice.arn})
    assert (await scene.ask(alice)).status == 200
    await registries.put(scene.database, scene.registry, {"settings": {"REGISTRY_POLICY_SCOPE": "V1"}})
    assert refused(await scene.ask(alice)) == f"no identity-based policy allows the {GET} action"
