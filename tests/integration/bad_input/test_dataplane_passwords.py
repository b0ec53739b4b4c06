"""Registry passwords that are none, on the data plane."""

import base64
import time
from collections.abc import Callable
from dataclasses import replace

import aiohttp
import pytest

from berth.database.db import Database
from berth.identity.credentials.access_keys import create_root
from berth.identity.credentials.passwords import PASSWORD_SECONDS, KeyRing, load_keyring
from berth.layers import downloads
from berth.layers.downloads import Download
from berth.names import Digest
from berth.sealing import Seal
from tests.integration.bad_input.conftest import Place
from tests.integration.bad_input.registry import Bad, bad, check_refused
from tests.integration.bad_input.wire import exchange, request

BASE = "GET /v2/"
UNAUTHORIZED = (401, "UNAUTHORIZED")


def basic(text: str | bytes) -> str:
    return f"Basic {base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()}"


def header(fault: str, value: str | None, names: str) -> object:
    return bad(fault, BASE, *UNAUTHORIZED, names, {"Authorization": value})


HEADERS = [
    header("none", None, "Not Authorized"),
    header("empty", "", "Type"),
    header("only Basic", "Basic", "must be AWS"),
    header("Basic and a blank", "Basic ", "must be AWS"),
    header("another scheme", f"Bearer {'a' * 40}", "Unsupported Authorization Type"),
    header("a scheme of 9,000 letters", "B" * 9000, "Type"),
    header("Digest", 'Digest username="AWS"', "Type"),
    header("a signature", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/ecr/aws4_request", "Type"),
    header("two schemes", f"Basic Bearer {'a' * 40}", "base64"),
    header("not base64", "Basic !!!", "base64"),
    header("base64 without its padding", "Basic QVdTOg", "base64"),
    header("base64 of one letter", "Basic Q", "base64"),
    header("base64 with a blank inside", "Basic QVdT Og==", "base64"),
    header("base64 for URLs", "Basic QVdTOv__", "base64"),
    header("base64 and more", f"{basic('AWS:x')}, Basic x", "base64"),
    header("bytes that are not utf-8", basic(b"\xff\xfe:\xff"), "base64"),
    header("bytes that are not ascii", "Basic QVdTöÖ==", "base64"),
    header("no colon", basic("AWS"), "not valid"),
    header("no password", basic("AWS:"), "not valid"),
    header("no user", basic(":password"), "must be AWS"),
    header("user in lower case", basic("aws:password"), "must be AWS"),
    header("another user", basic("admin:admin"), "must be AWS"),
    header("a user and NUL", basic("AWS\0:password"), "must be AWS"),
    header("a user of 6,000 letters", basic(f"{'A' * 6000}:x"), "must be AWS"),
    header("another password", basic("AWS:password"), "GetAuthorizationToken"),
    header("a password of NULs", basic("AWS:" + "\0" * 40), "not valid"),
    header("a password beyond ascii", basic("AWS:pässword"), "not valid"),
    header("a password of 9,000 letters", basic("AWS:" + "x" * 9000), "not valid"),
    header("a password of JSON", basic('AWS:["000000000000","arn:aws:iam::000000000000:root"]'), "not valid"),
]


@pytest.mark.parametrize("row", HEADERS)
async def test_an_authorization_that_is_none_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


def _flip(text: str, position: int) -> str:
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]


def download_of(place: Place) -> Download:
    return Download(place.key.principal, place.repository.registry, place.repository.name, place.layer)


# What is done to a password that was good, or what is sealed by the same key for another purpose.
PASSWORDS: dict[str, Callable[[KeyRing, Place], str]] = {
    "its first letter changed": lambda _, place: _flip(place.password, 0),
    "a letter of its key changed": lambda _, place: _flip(place.password, 4),
    "a letter within changed": lambda _, place: _flip(place.password, len(place.password) // 2),
    "a letter near its end changed": lambda _, place: _flip(place.password, len(place.password) - 3),
    "its end cut off": lambda _, place: place.password[:-4],
    "its beginning cut off": lambda _, place: place.password[4:],
    "half of it": lambda _, place: place.password[: len(place.password) // 2],
    "four letters of it": lambda _, place: place.password[:4],
    "something after it": lambda _, place: f"{place.password}AAAA",
    "a line feed after it": lambda _, place: f"{place.password}\n",
    "padding after it": lambda _, place: f"{place.password}====",
    "a blank before it": lambda _, place: f" {place.password}",
    "twice": lambda _, place: place.password * 2,
    "in upper case": lambda _, place: place.password.upper(),
    "a colon within": lambda _, place: f"{place.password[:9]}:{place.password[9:]}",
    "the secret access key": lambda _, place: place.key.secret,
    "the id of the access key": lambda _, place: place.key.id,
    "the address of a download": lambda ring, place: downloads.close(ring, download_of(place)).removeprefix(
        downloads.PATH
    ),
    "a page token": lambda ring, _: ring.close(b'"x"', "page token of ListImages"),
}


@pytest.mark.parametrize("fault", PASSWORDS)
async def test_a_password_that_was_tampered_with_is_refused(
    place: Place, database: Database, seal: Seal, fault: str
) -> None:
    password = PASSWORDS[fault](await load_keyring(database, seal), place)
    await check_refused(
        place, Bad("GET", "/v2/", *UNAUTHORIZED, "not valid", {"Authorization": basic(f"AWS:{password}")})
    )


# What is done to the address of a download that is good, or of one that never was.
DOWNLOADS: dict[str, tuple[Callable[[KeyRing, Download, str], str], int, str, str]] = {
    "its first letter changed": (lambda ring, _, good: _flip(good, 0), 403, "DENIED", "GetDownloadUrlForLayer"),
    "a letter within changed": (lambda ring, _, good: _flip(good, 60), 403, "DENIED", "GetDownloadUrlForLayer"),
    "its end cut off": (lambda ring, _, good: good[:-4], 403, "DENIED", "GetDownloadUrlForLayer"),
    "something after it": (lambda ring, _, good: f"{good}AAAA", 403, "DENIED", "GetDownloadUrlForLayer"),
    "a slash after it": (lambda ring, _, good: f"{good}/x", 403, "DENIED", "GetDownloadUrlForLayer"),
    "NUL after it": (lambda ring, _, good: f"{good}%00", 403, "DENIED", "GetDownloadUrlForLayer"),
    "a password": (
        lambda ring, _, good: ring.close(b"[]", "registry password"),
        403,
        "DENIED",
        "GetDownloadUrlForLayer",
    ),
    "one of yesterday": (
        lambda ring, download, _: downloads.close(ring, download, time.time() - 86400).removeprefix(downloads.PATH),
        403,
        "DENIED",
        "expired",
    ),
    "one of what is not there": (
        lambda ring, download, _: downloads.close(ring, replace(download, digest=Digest.of(b"none"))).removeprefix(
            downloads.PATH
        ),
        404,
        "BLOB_UNKNOWN",
        "not found",
    ),
}


@pytest.mark.parametrize("fault", DOWNLOADS)
async def test_an_address_of_a_download_that_was_tampered_with_is_refused(place: Place, fault: str) -> None:
    spoil, *expected = DOWNLOADS[fault]
    ring, download = await load_keyring(place.database, place.master), download_of(place)
    address = spoil(ring, download, downloads.close(ring, download).removeprefix(downloads.PATH))
    await check_refused(place, Bad("GET", f"{downloads.PATH}{address}", *expected))


async def test_an_expired_password_is_refused(place: Place, database: Database, seal: Seal) -> None:
    keyring = await load_keyring(database, seal)
    password, _ = keyring.close_password(place.key.principal, now=time.time() - PASSWORD_SECONDS - 1)
    row = Bad("GET", "/v2/", 403, "DENIED", "has expired", {"Authorization": basic(f"AWS:{password}")})
    await check_refused(place, row)


async def test_the_password_of_another_account_opens_nothing_here(place: Place, database: Database, seal: Seal) -> None:
    stranger = await create_root(database, seal, "999999999999")
    password, _ = (await load_keyring(database, seal)).close_password(stranger.principal)
    row = Bad("GET", "/v2/bad/input/manifests/v1", 403, "DENIED", "ecr:BatchGetImage")
    row.headers["Authorization"] = basic(f"AWS:{password}")
    await check_refused(place, row)


async def test_of_two_passwords_neither_is_believed(place: Place) -> None:
    good = aiohttp.encode_basic_auth("AWS", place.password)
    sent = request("GET", "/v2/", {"Host": "x", "Authorization": good, "authorization": basic("AWS:x")})
    answer = await exchange(place.registry_address, sent)
    assert answer.status == 401
    assert b"more than once" in answer.body
