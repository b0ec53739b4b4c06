"""Every step of the data plane is refused without ECR's own action for it, and allowed with exactly that."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import aiohttp
import pytest

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.principals import Principal
from berth.names import Registry
from berth.repositories import Repository
from berth.sealing import Seal
from dataplane.app import ACTIONS
from tests.identities import Identities, allowing, denying
from tests.integration.dataplane.conftest import RegistryClient, sha256

Make = Callable[..., Awaitable[Repository]]
As = Callable[[Principal], Awaitable[RegistryClient]]
NAME = "team/app"
NOTHING = sha256(b"nothing")
PATHS = {
    "catalog": "_catalog",
    "manifests": f"{NAME}/manifests/v1",
    "blobs": f"{NAME}/blobs/{NOTHING}",
    "uploads": f"{NAME}/blobs/uploads/",
    "upload": f"{NAME}/blobs/uploads/{uuid.uuid4()}",
    "tags": f"{NAME}/tags/list",
    "referrers": f"{NAME}/referrers/{NOTHING}",
}


@pytest.fixture
def identities(database: Database, seal: Seal, root_key: AccessKey) -> Identities:
    return Identities(database, seal, root_key.principal.account)


@pytest.fixture
async def client_of(client: RegistryClient, database: Database, seal: Seal) -> AsyncIterator[As]:
    """The same client with a password of the principal's."""
    sessions: list[aiohttp.ClientSession] = []
    keyring = await load_keyring(database, seal)

    async def client_of(principal: Principal) -> RegistryClient:
        headers = {"Authorization": aiohttp.encode_basic_auth("AWS", keyring.close_password(principal)[0])}
        sessions.append(aiohttp.ClientSession(headers=headers, auto_decompress=False))
        return replace(client, session=sessions[-1])

    yield client_of
    for session in sessions:
        await session.close()


@pytest.mark.parametrize(("method", "kind"), sorted(set(ACTIONS) - {("GET", "base")}))
async def test_every_step_needs_its_action_and_no_other(
    identities: Identities, client_of: As, registry: Registry, make_repository: Make, method: str, kind: str
) -> None:
    await make_repository(NAME)
    action, resource = ACTIONS[method, kind], registry.arn("*" if kind == "catalog" else NAME)
    assert action is not None
    nobody = (await identities.user("nobody")).principal
    answer = await (await client_of(nobody)).send(method, PATHS[kind])
    assert answer.status == 403
    if method != "HEAD":
        assert answer.error == {
            "code": "DENIED",
            "message": f"User: {nobody.arn} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action",
        }
    lacking = await identities.user("lacking", {"Effect": "Allow", "NotAction": action, "Resource": "*"})
    assert (await (await client_of(lacking.principal)).send(method, PATHS[kind])).status == 403
    elsewhere = await identities.user("elsewhere", allowing(action, resource=registry.arn("team/other")))
    assert (await (await client_of(elsewhere.principal)).send(method, PATHS[kind])).status == 403
    with_it = await identities.user("with-it", allowing(action, resource=resource))
    client = await client_of(with_it.principal)
    assert (await client.send(method, PATHS[kind])).status not in {401, 403}
    await identities.let("user", "with-it", allowing(action), denying(action, resource=resource))
    answer = await client.send(method, PATHS[kind])
    assert answer.status == 403
    if method != "HEAD":
        assert answer.error["message"].endswith(" with an explicit deny in an identity-based policy")


async def test_everybody_with_a_password_may_ask_for_the_base(identities: Identities, client_of: As) -> None:
    nobody = await client_of((await identities.user("nobody")).principal)
    assert (await nobody.send("GET", "/v2/")).status == 200


async def test_a_push_takes_the_actions_of_its_steps_and_a_pull_those_of_its_own(
    identities: Identities, client_of: As, registry: Registry, make_repository: Make
) -> None:
    """ECR user guide, "IAM permissions for pushing an image" and "… for pulling an image"."""
    await make_repository(NAME)
    pushing = allowing(
        "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
        "ecr:PutImage", resource=registry.arn(NAME),
    )  # fmt: skip
    pulling = allowing("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", resource=registry.arn(NAME))
    pusher = await client_of((await identities.user("pusher", pushing)).principal)
    puller = await client_of((await identities.user("puller", pulling)).principal)
    await pusher.push_image(NAME, "v1")
    assert (await pusher.send("GET", f"{NAME}/manifests/v1")).status == 403
    for _ in range(3):
        assert (await puller.send("GET", f"{NAME}/manifests/v1")).status == 200
        assert (await pusher.send("GET", f"{NAME}/manifests/v1")).status == 403, "though it is remembered by now"
    assert (await puller.send("PUT", f"{NAME}/manifests/v2", data=b"{}")).status == 403


async def test_a_layer_is_mounted_from_what_one_may_read(
    identities: Identities, client_of: As, client: RegistryClient, registry: Registry, make_repository: Make
) -> None:
    """ECR user guide, "Blob mounting in Amazon ECR": users need ecr:GetDownloadUrlForLayer on the source."""
    for name in ("secret", NAME):
        await make_repository(name)
    digest = await client.push_blob("secret", b"a layer")
    pushing = allowing("ecr:InitiateLayerUpload", resource=registry.arn(NAME))
    alice = await client_of((await identities.user("alice", pushing)).principal)
    source = client.prefix.removeprefix("/v2/") + "/secret"
    for query in (f"mount={digest}&from={source}", f"mount={digest}"):
        assert (await alice.send("POST", f"{NAME}/blobs/uploads/?{query}")).status == 202
    reading = allowing("ecr:GetDownloadUrlForLayer", resource=registry.arn("secret"))
    await identities.let("user", "alice", pushing, reading)
    assert (await alice.send("POST", f"{NAME}/blobs/uploads/?mount={digest}&from={source}")).status == 201


async def test_several_steps_in_one_request_need_the_action_of_each(
    identities: Identities, client_of: As, registry: Registry, make_repository: Make
) -> None:
    await make_repository(NAME)
    layer, steps = b"a layer", ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"]
    alice = await client_of((await identities.user("alice")).principal)
    at_once = f"{NAME}/blobs/uploads/?digest={sha256(layer)}"
    for lacking in steps:
        allowed = [step for step in steps if step != lacking]
        await identities.let("user", "alice", allowing(*allowed, resource=registry.arn(NAME)))
        answer = await alice.send("POST", at_once, data=layer)
        assert answer.status == 403
        assert f"to perform: {lacking} on" in answer.error["message"]
    await identities.let("user", "alice", allowing(steps[0], steps[2], resource=registry.arn(NAME)))
    begun = await alice.send("POST", f"{NAME}/blobs/uploads/")
    end = f"{begun.headers['Location']}?digest={sha256(layer)}"
    assert (await alice.send("PUT", end, data=layer)).status == 403
    await identities.let("user", "alice", allowing(*steps, resource=registry.arn(NAME)))
    assert (await alice.send("PUT", end, data=layer)).status == 201
    assert (await alice.send("POST", at_once, data=layer)).status == 201
