"""ServerException, which every operation has: what is answered while PostgreSQL does not run."""

import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import controlplane.app
import listener
from berth.database.db import Database
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.sealing import Seal, master_seal
from berth.settings import Settings
from tests.conftest import running_postgres
from tests.contract import model
from tests.contract.calls import Line
from tests.contract.samples import plain

# What needs no database once the caller is known.
INDEPENDENT = {"GetAuthorizationToken"}


async def test_every_operation_says_that_the_service_is_unavailable(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as (url, server):
        settings = Settings(data=tmp_path_factory.mktemp("data"), database_url=url)
        database = Database(url)
        known, stranger = [
            await access_keys.create_root(database, master_seal(settings), account)
            for account in ("111111111111", "222222222222")
        ]
        await database.close()
        async with (
            listener.listening(controlplane.app.make_app, settings, "localhost:0") as address,
            Line(str(address), known, settings.region) as line,
            Line(str(address), stranger, settings.region) as line_of_a_stranger,
        ):
            assert (await line.call("DescribeRegistry", {})).status == 200
            server.send_signal(signal.SIGINT)
            server.wait(30)
            monkeypatch.setattr(access_keys, "find", remembering(known))
            for operation, members in sensible(Registry("111111111111", settings.region)).items():
                asking = line_of_a_stranger if operation in INDEPENDENT else line
                answer = await asking.call(operation, members)
                assert (answer.code, answer.status) == ("ServerException", 503), f"{operation}: {answer}"


def remembering(key: AccessKey) -> Callable[[Database, Seal, str], Awaitable[AccessKey | None]]:
    """A way to find keys that needs no database for this one: so the operation itself meets that there is none."""
    ask = access_keys.find

    async def find(database: Database, seal: Seal, access_key_id: str) -> AccessKey | None:
        return key if access_key_id == key.id else await ask(database, seal, access_key_id)

    return find


def sensible(registry: Registry) -> dict[str, dict[str, Any]]:
    """A call of every operation that comes as far as the database."""
    meant: dict[str, Any] = {"imageId": {"imageTag": "v1"}, "resourceArn": registry.arn("no/such")}
    calls = {}
    for name, operation in model.OPERATIONS.items():
        members = plain(operation.input_shape)
        calls[name] = {**members, **{one: meant[one] for one in meant if one in members}}
    calls["UpdatePullThroughCacheRule"]["customRoleArn"] = f"arn:aws:iam::{registry.account}:role/ecr"
    return calls
