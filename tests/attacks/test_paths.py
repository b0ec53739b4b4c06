"""No path, name, digest or id leads out of the folder that it belongs to, whatever the encoding; nothing is written."""

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import botocore.exceptions
import pytest

from berth.settings import Settings
from tests.attacks.conftest import MakeRepository
from tests.integration.bad_input.wire import exchange, request
from tests.integration.dataplane.conftest import RegistryClient

pytestmark = pytest.mark.usefixtures("files_stay")

DOTS = {
    "plain": "../",
    "dots encoded": "%2e%2e/",
    "DOTS ENCODED": "%2E%2E/",
    "one dot encoded": ".%2e/",
    "slash encoded": "..%2f",
    "all encoded": "%2e%2e%2f",
    "encoded twice": "%252e%252e%252f",
    "encoded thrice": "%25252e%25252e%25252f",
    "backslash": "..\\",
    "backslash encoded": "..%5c",
    "all with backslash": "%2e%2e%5c",
    "overlong dot": "%c0%ae%c0%ae/",
    "overlong slash": "..%c0%af",
    "overlong in three bytes": "%e0%80%ae%e0%80%ae%e0%80%af",
    "fullwidth": "%ef%bc%8e%ef%bc%8e%ef%bc%8f",
    "two dot leader": "%e2%80%a5/",
    "division slash": "..%e2%88%95",
    "IIS's %u": "%u002e%u002e%u002f",
    "with NUL": "..%00/",
    "NUL first": "%00../",
    "four dots": "....//",
    "with a parameter": "..;/",
    "with a blank": "..%20/",
    "a broken escape": "..%2",
    "absolute": "/",
    "absolute, encoded": "%2f",
    "a drive": "c:%5c",
    "a URL": "file:%2f%2f",
}
PLACES = {
    "the path": "GET {dots}etc/passwd",
    "after the version": "GET /v2/{dots}etc/passwd",
    "the name": "GET {own}/{dots}etc/passwd/tags/list",
    "the middle of a name": "GET {own}/app/{dots}etc/passwd/manifests/v1",
    "a tag": "GET {own}/app/manifests/{dots}etc%2fpasswd",
    "a tag to put": "PUT {own}/app/manifests/{dots}etc%2fpasswd",
    "a tag as a parameter": "PUT {own}/app/manifests/sha256:{zeros}?tag={dots}etc/passwd",
    "a digest": "GET {own}/app/blobs/{dots}etc%2fpasswd",
    "the hexadecimal digits": "GET {own}/app/blobs/sha256:{dots}etc%2fpasswd",
    "the algorithm": "GET {own}/app/blobs/{dots}sha256:{zeros}",
    "a digest to delete": "DELETE {own}/app/blobs/sha256:{dots}etc%2fpasswd",
    "a digest of referrers": "GET {own}/app/referrers/sha256:{dots}etc%2fpasswd",
    "an upload": "GET {own}/app/blobs/uploads/{dots}etc%2fpasswd",
    "an upload to write to": "PATCH {own}/app/blobs/uploads/{dots}etc%2fpasswd",
    "an upload to end": "PUT {own}/app/blobs/uploads/{dots}{zeros}?digest=sha256:{zeros}",
    "an upload to cancel": "DELETE {own}/app/blobs/uploads/{dots}etc%2fpasswd",
    "the digest of an upload": "POST {own}/app/blobs/uploads/?digest=sha256:{dots}etc/passwd",
    "the digest of a mount": "POST {own}/app/blobs/uploads/?mount=sha256:{dots}etc/passwd",
    "a download": "GET /downloads/{dots}etc%2fpasswd",
    "the catalog": "GET {own}/{dots}_catalog",
}


@pytest.mark.parametrize("encoding", DOTS)
async def test_no_path_leads_out_of_the_registry(
    client: RegistryClient, make_repository: MakeRepository, settings: Settings, encoding: str
) -> None:
    await make_repository("app")
    address = client.base.removeprefix("http://")
    password = client.session.headers["Authorization"]
    sent = 0
    for dots, line in itertools.product((DOTS[encoding], DOTS[encoding] * 12), PLACES.values()):
        method, target = line.format(own=client.prefix, dots=dots, zeros="0" * 64).split(" ", 1)
        body = b"{}" if method in {"PUT", "PATCH", "POST"} else b""
        headers: dict[str, str | None] = {"Host": address, "Authorization": password}
        answer = await exchange(address, request(method, target if target[0] == "/" else f"/{target}", headers, body))
        assert 400 <= answer.status < 500, (line, answer)
        assert b"root:" not in answer.body
        assert str(settings.data).encode() not in answer.raw
        sent += 1
    assert sent == 2 * len(PLACES)


async def test_a_mount_from_such_a_name_only_begins_an_upload(
    client: RegistryClient, make_repository: MakeRepository
) -> None:
    await make_repository("app")
    for dots in DOTS.values():
        answer = await client.send("POST", f"app/blobs/uploads/?mount=sha256:{'0' * 64}&from={dots}{dots}etc/passwd")
        assert answer.status in {202, 400}, (dots, answer)


@pytest.mark.parametrize("encoding", DOTS)
async def test_no_path_leads_out_of_the_api(api_url: str, settings: Settings, encoding: str) -> None:
    address = api_url.removeprefix("http://")
    for dots, method in itertools.product((DOTS[encoding], DOTS[encoding] * 12), ("GET", "POST")):
        for prefix in ("/", "/v2/", "/readyz/", "/healthz/"):
            sent = request(method, f"{prefix}{dots}etc/passwd", {"Host": address}, b"{}" if method == "POST" else b"")
            answer = await exchange(address, sent)
            assert 400 <= answer.status < 500, answer
            assert b"root:" not in answer.body
            assert str(settings.data).encode() not in answer.raw


@pytest.mark.parametrize("encoding", DOTS)
async def test_no_name_of_the_api_leads_out_of_the_store(
    ecr: Any, make_repository: MakeRepository, encoding: str
) -> None:
    await make_repository("app")
    text = unquote(DOTS[encoding], errors="surrogateescape").encode("utf-8", "replace").decode()
    digests = [f"sha256:{text}etc/passwd"]
    if "\0" not in text:
        checked = await asyncio.to_thread(
            ecr.batch_check_layer_availability, repositoryName="app", layerDigests=digests
        )
        assert [failure["failureCode"] for failure in checked["failures"]] == ["InvalidLayerDigest"]
    for operation, members in (
        ("create_repository", {"repositoryName": f"{text}etc/passwd"}),
        ("describe_images", {"repositoryName": f"{text}etc/passwd"}),
        ("get_download_url_for_layer", {"repositoryName": "app", "layerDigest": f"sha256:{text}etc/passwd"}),
        (
            "complete_layer_upload",
            {"repositoryName": "app", "uploadId": f"{text}etc/passwd", "layerDigests": [f"sha256:{'0' * 64}"]},
        ),
        (
            "upload_layer_part",
            {
                "repositoryName": "app",
                "uploadId": f"{text}etc/passwd",
                "partFirstByte": 0,
                "partLastByte": 0,
                "layerPartBlob": b"x",
            },
        ),
    ):
        with pytest.raises((botocore.exceptions.ClientError, botocore.exceptions.ParamValidationError)) as caught:
            await asyncio.to_thread(getattr(ecr, operation), **members)
        answer = getattr(caught.value, "response", None)
        assert answer is None or answer["ResponseMetadata"]["HTTPStatusCode"] < 500
        assert "root:" not in json.dumps(answer)


def test_the_passwords_of_this_machine_are_what_an_attack_would_show() -> None:
    assert "root:" in Path("/etc/passwd").read_text()
