"""What is kept of requests: each counted once, with what it was decided by, and no secret."""

import asyncio
import base64
import hashlib
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

import dataplane.app
import listener
from berth.audit import AuditLog, forgetting, keeping
from berth.audit.rows import hour_of
from berth.database.db import Database
from berth.settings import Settings
from berth.workers.audit import forget_requests
from berth.workers.queue import JOBS
from tests.identities import EVERYTHING, allowing, denying, document
from tests.integration.audit.conftest import MANIFEST, NAME, PULL, Place
from tests.unit.audit.samples import ALLOWED, REFUSED, how, ruled

# By what it is told how old they are.
OLDEST = {"audited_requests": "hour", "audited_hours": "hour", "audited_principals": "last_at"}


def of(rows: list[dict[str, Any]], arn: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["arn"] == arn]


async def test_every_pull_is_counted_once_from_memory_or_not(place: Place) -> None:
    alice = (await place.identities.user("alice", EVERYTHING)).principal
    client = await place.client(alice)
    before = time.time()
    for method in ("GET",) * 7 + ("HEAD",) * 4:
        assert (await client.send(method, MANIFEST, headers={"User-Agent": "docker/24"})).status == 200
    for _ in range(2):
        assert (await client.send("GET", f"{NAME}/manifests/none", headers={"User-Agent": "docker/24"})).status == 404
    (row,) = of(await place.rows(), alice.arn)
    assert (row["action"], row["resource"], row["policies_of"]) == (PULL, place.arn, place.arn)
    assert (row["requests"], row["allowed"], row["reason"]) == (13, True, "inline, statement 1")
    assert row["hour"] == hour_of(row["first_at"].timestamp())
    assert before - 1 <= row["first_at"].timestamp() <= row["last_at"].timestamp() <= time.time()
    context = row["context"]
    assert (context["agent"], context["tls"], context["cut"]) == ("docker/24", False, False)
    assert context["ip"] in {"127.0.0.1", "::1"}
    await client.send("GET", MANIFEST, headers={"User-Agent": "docker/24"})
    (row,) = of(await place.rows(), alice.arn)
    assert row["requests"] == 14, "what is kept is added to"


async def test_refusals_are_kept_with_their_reason(place: Place) -> None:
    denied = await place.identities.user("denied", EVERYTHING, denying(PULL, Sid="Never"))
    nobody = await place.identities.user("nobody")
    for principal in (denied.principal, nobody.principal):
        assert await place.pull(principal, times=2) == 403
    rows = await place.rows()
    reasons = {row["reason"]: row["requests"] for row in rows if not row["allowed"]}
    assert reasons == {
        "with an explicit deny in an identity-based policy: inline, statement 2 (Never)": 2,
        f"because no identity-based policy allows the {PULL} action": 2,
    }


async def test_calls_of_the_api_are_kept_with_their_tags_and_the_actions_that_go_with_them(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    with place.api("ecr", alice) as ecr, place.api("iam", alice) as iam:
        await ecr.create_repository(repositoryName="new", tags=[{"Key": "Team", "Value": "one"}])
        await iam.list_users()
        await ecr.get_authorization_token()
    rows = {row["action"]: row for row in of(await place.rows(), alice.principal.arn)}
    assert {"ecr:CreateRepository", "ecr:TagResource", "iam:ListUsers", "ecr:GetAuthorizationToken"} == rows.keys()
    more = rows["ecr:CreateRepository"]["context"]["more"]
    assert (more["aws:requesttag/team"], more["aws:tagkeys"]) == ("one", ["Team"])
    assert rows["ecr:GetAuthorizationToken"]["policies_of"] is None
    assert rows["ecr:CreateRepository"]["policies_of"] == place.registry.arn("new")


async def test_no_secret_is_in_a_record(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    client = await place.client(alice.principal)
    given = client.headers["Authorization"]
    password = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")[2]
    signature = hashlib.sha256(secrets.token_bytes()).hexdigest()
    for text in (given, password, f"curl -H 'Authorization: {given}'", f"x X-Amz-Signature={signature}&y"):
        headers = {"User-Agent": text[:8000], "Referer": f"https://x.example/?p={text[:4000]}"}
        assert (await client.send("GET", MANIFEST, headers=headers)).status == 200
    await place.identities.role_session("ci", EVERYTHING)
    with place.api("ecr", alice) as ecr:
        await ecr.list_images(repositoryName=NAME)
    kept = str(await place.rows())
    for secret in (given, password, signature, alice.secret, alice.id, password[100:140]):
        assert secret not in kept


async def test_what_postgresql_takes_for_no_text_stops_nothing(place: Place) -> None:
    alice = await place.identities.user("alice", EVERYTHING)
    client = await place.client(alice.principal)
    reader, writer = await asyncio.open_connection("localhost", int(client.base.rpartition(":")[2]))
    lines = [f"GET {client.prefix}/{MANIFEST} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: {client.headers['Authorization']}", "Connection: close"]
    writer.write("\r\n".join(lines).encode() + b"\r\nUser-Agent: \xff\xfe\xed\xa0\x80\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
    (row,) = of(await place.rows(), alice.principal.arn)
    assert row["context"]["agent"].startswith("?")
    assert row["context"]["cut"]


async def test_what_was_counted_is_kept_when_a_process_ends(place: Place, settings: Settings) -> None:
    async with listener.listening(dataplane.app.make_app, settings, "localhost:0") as address:
        place.planes.registry_url, before = f"http://{address}", place.planes.registry_url
        alice = await place.identities.user("alice", EVERYTHING)
        assert await place.pull(alice.principal, times=3) == 200
        place.planes.registry_url = before
    (row,) = of(await place.rows(), alice.principal.arn)
    assert row["requests"] == 3


async def test_nothing_is_kept_where_the_settings_say_so(place: Place, settings: Settings) -> None:
    off = settings.model_copy(update={"audit_days": 0})
    async with listener.listening(dataplane.app.make_app, off, "localhost:0") as address:
        place.planes.registry_url, before = f"http://{address}", place.planes.registry_url
        alice = await place.identities.user("alice", EVERYTHING)
        assert await place.pull(alice.principal, times=3) == 200
        place.planes.registry_url = before
    assert of(await place.rows(), alice.principal.arn) == []


async def test_planes_keep_what_they_counted_every_few_seconds(
    place: Place, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "KEEPING_SECONDS", 0.05)
    made: list[web.Application] = []

    def make_app(settings: Settings) -> web.Application:
        made.append(dataplane.app.make_app(settings))
        return made[0]

    async with listener.listening(make_app, settings, "localhost:0") as address:
        place.planes.registry_url, before = f"http://{address}", place.planes.registry_url
        alice = await place.identities.user("alice", EVERYTHING)
        await place.pull(alice.principal)
        place.planes.registry_url = before
        for _ in range(200):
            if of(await place.rows(), alice.principal.arn):
                break
            await asyncio.sleep(0.05)
        assert of(await place.rows(), alice.principal.arn)[0]["requests"] == 1


async def test_nothing_is_lost_while_the_database_is_away(place: Place, database: Database) -> None:
    audit, away = AuditLog(), Database("postgresql://berth:x@localhost:1/none")
    what = ruled(principal=place.root_key.principal)
    for _ in range(3):
        audit.count(what, how())
        await keeping.keep(audit, away)
    await away.close()
    await keeping.keep(audit, database)
    assert sum(row["requests"] for row in await place.rows() if row["resource"] == "one") == 3


async def test_what_cannot_be_kept_is_counted_nevertheless(
    place: Place, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit, root = AuditLog(), place.root_key.principal
    for decision in (ALLOWED, ALLOWED, REFUSED):
        audit.count(ruled("one", decision, principal=root), how())
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "request_row", lambda *_: 1 / 0)
        await keeping.keep(audit, database)
    await keeping.keep(audit, database)
    assert await numbers(place) == (0, 2, 1)


async def test_many_processes_add_to_the_same_rows_at_once(place: Place, database: Database) -> None:
    audits = [AuditLog() for _ in range(4)]

    async def counts(audit: AuditLog) -> None:
        for number in range(10):
            for resource in ("one", "two", f"of {number}"):
                audit.count(ruled(resource, principal=place.root_key.principal), how())
            await keeping.keep(audit, database)

    await asyncio.gather(*map(counts, audits))
    counted = {row["resource"]: row["requests"] for row in await place.rows() if row["policies_of"] is None}
    assert {name: counted[name] for name in ("one", "two", "of 3")} == {"one": 40, "two": 40, "of 3": 4}
    assert await numbers(place) == (12, 0, 0)


async def numbers(place: Place) -> tuple[int, int, int]:
    """Rows of the account, but those of its pushes, and the requests beyond them."""
    there = [row for row in await place.rows() if row["policies_of"] is None]
    async with place.database.reading() as connection:
        found = await connection.exec_driver_sql(
            "SELECT sum(rows), sum(allowed_beyond), sum(refused_beyond) FROM audited_hours WHERE account = $1",
            (place.account,),
        )
        rows, allowed, refused = found.one()
    assert rows == len(await place.rows())
    return len(there), int(allowed), int(refused)


async def test_what_is_beyond_the_rows_of_an_hour_is_counted_as_such(place: Place, database: Database) -> None:
    audit, root = AuditLog(), place.root_key.principal
    have = len(await place.rows())
    for number in range(5):
        for _ in range(2):
            audit.count(ruled(str(number), principal=root), how())
    audit.count(ruled("refused", REFUSED, principal=root), how())
    await keeping.keep(audit, database, most_rows=have + 3)
    there, allowed, refused = await numbers(place)
    assert (there, allowed + refused) == (3, 5)
    for number in range(5):
        audit.count(ruled(str(number), principal=root), how())
    await keeping.keep(audit, database, most_rows=have + 3)
    assert await numbers(place) == (3, allowed + 2, refused), "rows that are there are added to"
    answer = await place.what_if(
        "--of", place.account, "--service-control-policy", "all", place.file(document(allowing("*")))
    )
    assert answer["notRecorded"] == allowed + refused + 2


async def test_what_has_no_room_in_memory_is_counted_as_such(place: Place, database: Database) -> None:
    audit, root = AuditLog(most_bytes=3000), place.root_key.principal
    for number in range(10):
        audit.count(ruled(str(number), principal=root), how())
    await keeping.keep(audit, database)
    there, allowed, refused = await numbers(place)
    assert 1 <= there < 10
    assert (there + allowed, refused) == (10, 0)


async def test_what_is_too_old_is_forgotten_and_all_of_it_where_nothing_is_kept(
    place: Place, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    audit, root = AuditLog(), place.root_key.principal
    for number in range(7):
        audit.count(ruled(str(number), principal=root), how())
    await keeping.keep(audit, database)
    fresh = len(await place.rows())
    assert fresh > 7
    async with database.transaction() as connection:
        given = (datetime.now(UTC) - timedelta(days=8), place.account)
        for table, column in OLDEST.items():
            await connection.exec_driver_sql(f"UPDATE {table} SET {column} = $1 WHERE account = $2", given)
    audit.count(ruled("new", principal=root), how())
    await keeping.keep(audit, database)
    assert await forgetting.forget(database, 9, at_most=60) == 0
    assert await forgetting.forget(database, 7, at_most=60) == fresh
    assert [row["resource"] for row in await place.rows()] == ["new"], "whose principal is in use again"
    assert await forgetting.forget(database, 0, at_most=60) >= 1
    assert await place.rows() == []
    assert (forget_requests, "*/10 * * * *") in JOBS
