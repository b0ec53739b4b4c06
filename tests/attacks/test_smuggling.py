"""A request that a proxy and Berth might take for two is one to Berth, is refused, and ends its connection."""

import json

import pytest

from tests.attacks.conftest import MakeRepository
from tests.integration.bad_input.wire import exchange
from tests.integration.dataplane.conftest import RegistryClient, sha256

# What the attacker wants to be taken for a request of the next user.
HIDDEN = "DELETE /v2/{registry}/app/manifests/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: {password}\r\n\r\n"
AMBIGUOUS = {
    "Content-Length and Transfer-Encoding": "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding and Content-Length": "Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 0\r\nContent-Length: {length}\r\n\r\n",
    "two equal lengths": "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "lengths in a list": "Content-Length: 0, {length}\r\n\r\n",
    "equal lengths in a list": "Content-Length: 0, 0\r\n\r\n",
    "a length with a sign": "Content-Length: +0\r\n\r\n",
    "a negative length": "Content-Length: -1\r\n\r\n",
    "a length in hexadecimal": "Content-Length: 0x0\r\n\r\n",
    "a length with an underscore": "Content-Length: 0_0\r\n\r\n",
    "a length in Arabic digits": "Content-Length: \u0660\r\n\r\n",
    "an empty length": "Content-Length: \r\n\r\n",
    "a length and a blank before the colon": "Content-Length : {length}\r\n\r\n",
    "a length in a folded line": "Content-Length:\r\n {length}\r\n\r\n",
    "a folded header": "X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a folded first header": " Content-Length: {length}\r\n\r\n",
    "a line feed alone": "X: a\nContent-Length: {length}\r\n\r\n",
    "a carriage return alone": "X: a\rContent-Length: {length}\r\n\r\n",
    "NUL in a header": "X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, chunked": "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "identity": "Transfer-Encoding: identity\r\nContent-Length: {length}\r\n\r\n",
    "xchunked": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with a tab and more": "Transfer-Encoding: chunked\tx\r\n\r\n0\r\n\r\n",
    "chunked with a vertical tab": "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked after a blank before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunked in a folded line": "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "Transfer_Encoding": "Transfer-Encoding\0: chunked\r\n\r\n0\r\n\r\n",
    "a chunk with a negative size": "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk with a size of 17 digits": "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n0\r\n\r\n",
    "a chunk with a size in octal": "Transfer-Encoding: chunked\r\n\r\n0o7\r\n1234567\r\n0\r\n\r\n",
    "a chunk that ends in a line feed": "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
    "a chunk with an extension and a line feed": "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
    "a chunk longer than its size": "Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
    "a method with a colon": "Content-Length: 0\r\nGET / HTTP/1.1\r\nX: \r\n\r\n",
}


@pytest.mark.parametrize("ambiguity", AMBIGUOUS)
@pytest.mark.parametrize("plane", ["dataplane", "controlplane"])
@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["at once", "later"])
async def test_what_is_ambiguous_is_one_request_that_is_refused(
    client: RegistryClient,
    api_url: str,
    make_repository: MakeRepository,
    ambiguity: str,
    plane: str,
    pause: float,
) -> None:
    await make_repository("app")
    await client.push_image("app", "v1")
    password, registry = client.session.headers["Authorization"], client.prefix.removeprefix("/v2/")
    hidden = HIDDEN.format(registry=registry, password=password)
    address = (client.base if plane == "dataplane" else api_url).removeprefix("http://")
    path = f"/v2/{registry}/app/blobs/uploads/" if plane == "dataplane" else "/"
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {password}\r\n"
    rest = AMBIGUOUS[ambiguity].format(length=len(hidden))
    answer = await exchange(address, (head + rest).encode(), hidden.encode(), pause=pause, until_closed=True)
    assert 400 <= answer.status < 500, answer
    assert answer.rest == b"", "the hidden request was answered"
    tags = json.loads((await client.send("GET", "app/tags/list")).body)["tags"]
    assert tags == ["v1"], "the hidden request was carried out"


async def test_requests_that_follow_each_other_are_each_answered(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    await make_repository("app")
    password, address = client.session.headers["Authorization"], client.base.removeprefix("http://")
    head = f"Host: {address}\r\nAuthorization: {password}\r\n"
    path = f"{client.prefix}/app/tags/list"
    first, last = f"GET {path} HTTP/1.1\r\n{head}\r\n", f"GET {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
    answer = await exchange(address, (first + last).encode(), until_closed=True)
    assert answer.status == 200
    assert answer.rest.startswith(b"HTTP/1.1 200 ")
    assert answer.rest.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("size", [10, 1_000_000, 5_000_000])
@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["at once", "later"])
async def test_what_follows_a_layer_is_the_next_request(
    client: RegistryClient, make_repository: MakeRepository, size: int, pause: float
) -> None:
    await make_repository("app")
    password, address = client.session.headers["Authorization"], client.base.removeprefix("http://")
    head = f"Host: {address}\r\nAuthorization: {password}\r\n"
    content = (b"GET / HTTP/1.1\r\n\r\n" * size)[:size]
    path = f"{client.prefix}/app/blobs/uploads/?digest={sha256(content)}"
    push = f"POST {path} HTTP/1.1\r\n{head}Content-Length: {size}\r\n\r\n".encode()
    pull = f"GET {client.prefix}/app/blobs/{sha256(content)} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode()
    answer = await exchange(address, push, content + pull, pause=pause, until_closed=True)
    assert answer.status == 201
    assert answer.rest.startswith(b"HTTP/1.1 200 ")
    assert answer.rest.endswith(b"\r\n\r\n" + content)


async def test_a_body_that_nobody_wanted_is_no_request(client: RegistryClient, make_repository: MakeRepository) -> None:
    await make_repository("app")
    await client.push_image("app", "v1")
    password, address = client.session.headers["Authorization"], client.base.removeprefix("http://")
    hidden = HIDDEN.format(registry=client.prefix.removeprefix("/v2/"), password=password)
    for method, path in (("GET", "app/tags/list"), ("DELETE", "app/manifests/none"), ("HEAD", "app/manifests/v1")):
        head = f"{method} {client.prefix}/{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {password}\r\n"
        sent = f"{head}Content-Length: {len(hidden)}\r\nConnection: close\r\n\r\n{hidden}".encode()
        answer = await exchange(address, sent, until_closed=True, is_head=method == "HEAD")
        assert answer.status in {200, 404}
        assert answer.rest == b""
    assert json.loads((await client.send("GET", "app/tags/list")).body)["tags"] == ["v1"]
