"""Sizes, places and ranges beyond all bounds: an answer of a bounded size, and pages that come to an end."""

import json
import re
from urllib.parse import quote

import pytest

from tests.attacks.conftest import ABSENT, MakeRepository
from tests.integration.dataplane.conftest import RegistryClient

CONTENT = bytes(range(256)) * 4
SIZE = len(CONTENT)
TAGS = [f"t{number:03}" for number in range(25)]
PLACES = ["", "zzz", "~", "%00", "%ff", "t%00", "a" * 8000, "%f4%8f%bf%bf", "%ed%a0%80", "'", "%27%3b--", "..%2f"]
PLACES += ["%25", "%0d%0aX:%20y"]
LISTS = {"tags/list": "tags", "referrers/{image}": "manifests", "_catalog": "repositories"}


@pytest.fixture
async def image(client: RegistryClient, make_repository: MakeRepository) -> str:
    """An image with 25 tags and 25 referrers, in one of 25 repositories."""
    for number in range(1, 25):
        await make_repository(f"r{number:03}")
    await make_repository("app")
    digest, document = await client.push_image("app", None)
    for tag in TAGS:
        await client.push_manifest("app", tag, document)
        subject = {"mediaType": document["mediaType"], "digest": digest, "size": 1}
        await client.push_manifest("app", None, document | {"subject": subject, "annotations": {"tag": tag}})
    return digest


def path_of(listing: str, image: str) -> str:
    return listing if listing == "_catalog" else f"app/{listing.format(image=image)}"


@pytest.mark.parametrize("listing", LISTS)
async def test_every_n_is_answered_or_refused(client: RegistryClient, image: str, listing: str) -> None:
    path, member = path_of(listing, image), LISTS[listing]
    for n in ("1", "25", "26", "1000", "1001", "100000", "2147483648", "4294967297", "9999999999", "0000000001", "0"):
        answer = await client.send("GET", f"{path}?n={n}")
        assert answer.status == 200, n
        if listing != "referrers/{image}" or int(n):
            assert len(json.loads(answer.body)[member]) == min(int(n), 25)
    for n in ("-1", "+1", "1.0", "1e9", "0x10", "99999999999", "9" * 5000, "NaN", "", " 1", "1 ", "1,2", "1%00", "１"):
        answer = await client.send("GET", f"{path}?n={quote(n, safe='%')}")
        assert (answer.status, answer.error["code"]) == (400, "PAGINATION_NUMBER_INVALID"), n
        assert len(answer.body) < 512


@pytest.mark.parametrize("listing", LISTS)
@pytest.mark.parametrize("n", [1, 2, 24, 25])
async def test_following_link_comes_to_an_end(client: RegistryClient, image: str, listing: str, n: int) -> None:
    path, member = f"{client.prefix}/{path_of(listing, image)}?n={n}", LISTS[listing]
    seen: list[str] = []
    for _ in range(100):
        answer = await client.send("GET", path)
        found = [one if isinstance(one, str) else one["digest"] for one in json.loads(answer.body)[member]]
        assert 0 < len(found) <= n
        assert not {*found} & {*seen}
        seen += found
        link = answer.headers.get("Link")
        if link is None:
            break
        path = re.fullmatch(r'<(/v2/[^>]+)>; rel="next"', link)[1]  # type: ignore[index]
    assert seen == sorted(seen)
    assert len(seen) == 25


@pytest.mark.parametrize("listing", LISTS)
@pytest.mark.parametrize("last", PLACES)
async def test_any_place_to_go_on_from_is_one_or_is_refused(
    client: RegistryClient, image: str, listing: str, last: str
) -> None:
    answer = await client.send("GET", f"{path_of(listing, image)}?n=2&last={last}")
    assert answer.status in {200, 400}, answer
    assert "X" not in answer.headers
    assert len(answer.body) < 8192
    link = answer.headers.get("Link", "")
    assert "\r" not in link
    assert len(link) < 1024


async def test_a_link_does_not_take_up_what_the_client_says(client: RegistryClient, image: str) -> None:
    hostile = quote('x>; rel="next", <http://evil.example/')
    answer = await client.send("GET", f"app/referrers/{image}?n=1&artifactType={hostile}&other={hostile}")
    assert "evil" not in answer.headers.get("Link", "")
    answer = await client.send(
        "GET", f"app/tags/list?n=1&other={hostile}", headers={"X-Forwarded-Host": "evil.example"}
    )
    assert "evil" not in answer.headers["Link"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=10-999999", 10, SIZE - 1),
        ("bytes=10-9223372036854775807", 10, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        (f"bytes=-{SIZE}", 0, SIZE - 1),
        ("bytes=-9223372036854775807", 0, SIZE - 1),
    ],
)
async def test_a_range_within_the_layer_is_sent(
    client: RegistryClient, make_repository: MakeRepository, asked: str, first: int, last: int
) -> None:
    await make_repository("app")
    digest = await client.push_blob("app", CONTENT)
    answer = await client.send("GET", f"app/blobs/{digest}", headers={"Range": asked})
    assert answer.status == 206
    assert answer.body == CONTENT[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"


@pytest.mark.parametrize(
    "asked",
    [
        f"bytes={SIZE}-",
        f"bytes={SIZE}-{SIZE + 9}",
        "bytes=9223372036854775807-",
        "bytes=99999999999999999999-",
        "bytes=5-4",
        "bytes=-0",
        "bytes=--5",
        "bytes=-",
        "bytes=",
        "bytes=0-1,4-5",
        "bytes=" + ",".join("0-" for _ in range(1000)),
        "bytes=" + ",".join(f"0-{number}" for number in range(1000)),
        "bytes=0-1;4-5",
        "bytes= 0-1",
        "bytes=0 -1",
        "bytes=a-b",
        "bytes=\u0661-2",
        "BYTES=0-1",
        "octets=0-1",
        "lines=1-2",
        "0-1",
    ],
    ids=lambda asked: asked[:30],
)
async def test_any_other_range_is_refused_or_left_out(
    client: RegistryClient, make_repository: MakeRepository, asked: str
) -> None:
    await make_repository("app")
    digest = await client.push_blob("app", CONTENT)
    answer = await client.send("GET", f"app/blobs/{digest}", headers={"Range": asked})
    if answer.status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
        assert len(answer.body) < 512
    else:
        assert (answer.status, answer.body) == (200, CONTENT)


async def test_a_range_of_an_empty_layer(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    digest = await client.push_blob("app", b"")
    for asked in ("bytes=0-", "bytes=0-0", "bytes=-1"):
        answer = await client.send("GET", f"app/blobs/{digest}", headers={"Range": asked})
        assert answer.status in {200, 416}
    assert (await client.send("GET", f"app/blobs/{digest}")).body == b""


async def test_a_page_of_the_referrers_of_nothing_is_empty(client: RegistryClient, image: str) -> None:
    answer = await client.send("GET", f"app/referrers/{ABSENT}?n=1")
    assert json.loads(answer.body)["manifests"] == []
    assert "Link" not in answer.headers
