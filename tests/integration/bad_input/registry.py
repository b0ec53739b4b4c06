"""A malformed request to the data plane, as a row of a table, and the test of one."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from berth import uploads
from berth.uploads import Session
from tests.integration.bad_input import promises
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.wire import exchange, request

MANIFEST_UNKNOWN = (404, "MANIFEST_UNKNOWN", "Requested image not found")


@dataclass(frozen=True, slots=True)
class Bad:
    """A request and its answer: the status, the code, and what the message must name.

    In `target`, {upload} is the id of an upload that has 4 bytes, {layer} and {image} the digests of what there is.
    """

    method: str
    target: str
    status: int
    code: str
    names: str
    headers: dict[str, str | None] = field(default_factory=dict)
    body: bytes = b""


def bad(
    fault: str,
    request_line: str,
    status: int,
    code: str,
    names: str,
    headers: dict[str, str | None] | None = None,
    body: bytes = b"",
) -> object:
    """A row, whose test is called by its `fault`."""
    method, target = request_line.split(" ", 1)
    return pytest.param(Bad(method, target, status, code, names, headers or {}, body), id=fault)


async def check_refused(place: Place, row: Bad) -> None:
    """Send the request and check its answer."""
    async with _filled(place, row.target) as target:
        headers: dict[str, str | None] = {
            "Host": place.registry_address,
            "Authorization": aiohttp.encode_basic_auth("AWS", place.password),
            **row.headers,
        }
        sent = request(row.method, target, headers, row.body)
        answer = await exchange(place.registry_address, sent, is_head=row.method == "HEAD")
    credentials = (headers["Authorization"] or "").partition(" ")[2]
    promises.check(answer, place.password, place.key.secret, *([credentials] if len(credentials) > 16 else []))
    assert answer.status == row.status, answer
    if row.method == "HEAD":
        return
    code, message = promises.oci_error(answer)
    assert code == row.code, answer
    assert row.names in message, message


@contextlib.asynccontextmanager
async def _filled(place: Place, target: str) -> AsyncIterator[str]:
    target = target.replace("{layer}", place.layer).replace("{image}", place.image)
    if "{upload}" in target:
        async with upload_of_four_bytes(place) as upload_id:
            yield target.replace("{upload}", upload_id)
    else:
        yield target


@contextlib.asynccontextmanager
async def upload_of_four_bytes(place: Place) -> AsyncIterator[str]:
    """The id of an upload, which must be as it was when the context ends."""
    session = await begin_upload(place)
    try:
        await uploads.append(place.database, place.store, session, _four_bytes())
        yield str(session.id)
        kept = await uploads.find(place.database, session)
        assert kept.received == 4, "a refused request has changed the upload"
    finally:
        await uploads.cancel(place.database, place.store, session)


async def begin_upload(place: Place) -> Session:
    """An upload of the place's own principal into its repository."""
    repository, principal = place.repository, place.key.principal.arn
    upload = await uploads.begin(place.database, repository.registry, repository.name, principal)
    return Session(repository.registry, repository.name, principal, upload.id)


async def _four_bytes() -> AsyncIterator[bytes]:
    yield b"1234"


UNKNOWN_UPLOAD = str(uuid.UUID(int=0))
