"""Digests, uploads and parts of layers outside their grammar, on the control plane."""

import json
from typing import Any

import pytest

from tests.integration.bad_input.api import INVALID, SERIALIZATION, Bad, check_refused, on_repository
from tests.integration.bad_input.conftest import NAME, Place
from tests.integration.bad_input.registry import upload_of_four_bytes

ZEROS = "sha256:" + "0" * 64
ONE = ZEROS[:-1] + "1"
UPLOAD = "00000000-0000-4000-8000-000000000000"


def of(operation: str, fault: str, code: str, names: str, **members: Any) -> object:
    return on_repository(fault, operation, code, names, **members)


CHECK, DOWNLOAD, COMPLETE = "BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "CompleteLayerUpload"
LAYERS = [
    of(CHECK, "no digests", INVALID, "layerDigests", layerDigests=[]),
    of(CHECK, "101 digests", INVALID, "100", layerDigests=[ZEROS] * 101),
    of(CHECK, "a digest null", INVALID, "layerDigests", layerDigests=[None]),
    of(CHECK, "a digest of 2,000 letters", INVALID, "1000", layerDigests=["x" * 2000]),
    of(DOWNLOAD, "a download of no digest", INVALID, "layerDigest", layerDigest="x"),
    of(DOWNLOAD, "a download of dots", INVALID, "layerDigest", layerDigest="../../etc/passwd"),
    of(DOWNLOAD, "a download of what is not there", "LayersNotFoundException", ZEROS, layerDigest=ZEROS),
    *(
        of(COMPLETE, f"the upload {fault}", INVALID, "uploadId", uploadId=text, layerDigests=[ZEROS])
        for fault, text in {
            "nothing": "",
            "a word": "upload",
            "dots": "../../blobs",
            "32 digits": "0" * 32,
            "in braces": f"{{{UPLOAD}}}",
            "and a line feed": f"{UPLOAD}\n",
            "and NUL": f"{UPLOAD}\0",
            "of 9,000 digits": "0" * 9000,
        }.items()
    ),
    of(
        COMPLETE,
        "an upload that is not there",
        "UploadNotFoundException",
        UPLOAD,
        uploadId=UPLOAD,
        layerDigests=[ZEROS],
    ),
    of(COMPLETE, "an upload of no digest", INVALID, "layerDigests", uploadId=UPLOAD, layerDigests=["x"]),
    of(COMPLETE, "an upload of two digests", INVALID, "layerDigests", uploadId=UPLOAD, layerDigests=[ZEROS, ONE]),
]


def part(fault: str, code: str, names: str, **members: Any) -> object:
    good = {"uploadId": UPLOAD, "partFirstByte": 0, "partLastByte": 0, "layerPartBlob": "QQ=="}
    return on_repository(fault, "UploadLayerPart", code, names, **{**good, **members})


PARTS = [
    part("a negative first byte", INVALID, "partFirstByte", partFirstByte=-1),
    part("a negative last byte", INVALID, "partLastByte", partLastByte=-1),
    part("to an upload that is not there", "UploadNotFoundException", UPLOAD),
    part("no bytes, to an upload that is not there", "UploadNotFoundException", UPLOAD, layerPartBlob=""),
    part("reversed, to an upload that is not there", "UploadNotFoundException", UPLOAD, partFirstByte=5),
    part("base64 for URLs", SERIALIZATION, "layerPartBlob", layerPartBlob="_w=="),
    part("base64 without its padding", SERIALIZATION, "layerPartBlob", layerPartBlob="QQ"),
    part("base64 with a line feed", SERIALIZATION, "layerPartBlob", layerPartBlob="QQ==\n"),
    part("base64 beyond ascii", SERIALIZATION, "layerPartBlob", layerPartBlob="ü==="),
    part("no bytes given", INVALID, "layerPartBlob", layerPartBlob=None),
    part("20 MiB and a byte", INVALID, "20971520", layerPartBlob="A" * (4 * (20 * 1024 * 1024 // 3 + 1))),
]


@pytest.mark.parametrize("row", LAYERS)
async def test_a_malformed_layer_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", PARTS)
async def test_a_malformed_part_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


# Parts of an upload that has 4 bytes: what is given of them, and what the message names.
SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "reversed": ({"partFirstByte": 4, "partLastByte": 3}, "1 bytes"),
    "longer than its bytes": ({"partFirstByte": 4, "partLastByte": 9}, "1 bytes"),
    "shorter than its bytes": ({"partFirstByte": 4, "partLastByte": 4, "layerPartBlob": "QUFB"}, "3 bytes"),
    "no bytes": ({"partFirstByte": 4, "partLastByte": 3, "layerPartBlob": ""}, "0 bytes"),
    "a gap": ({"partFirstByte": 5, "partLastByte": 5}, "consecutive"),
    "bytes that are there": ({"partFirstByte": 0, "partLastByte": 0}, "consecutive"),
    "far away": ({"partFirstByte": 2**62, "partLastByte": 2**62}, "consecutive"),
    "as far as there is": ({"partFirstByte": 2**63 - 1, "partLastByte": 2**63 - 1}, "consecutive"),
}


@pytest.mark.parametrize("fault", SPOILT)
async def test_a_part_out_of_place_is_refused_and_told_where_the_upload_goes_on(place: Place, fault: str) -> None:
    members, names = SPOILT[fault]
    async with upload_of_four_bytes(place) as upload_id:
        part = {"repositoryName": NAME, "uploadId": upload_id, "layerPartBlob": "QQ==", **members}
        row = Bad("UploadLayerPart", json.dumps(part).encode(), "InvalidLayerPartException", names)
        answer = json.loads((await check_refused(place, row)).body)
        assert (answer["uploadId"], answer["lastValidByteReceived"]) == (upload_id, 3)


@pytest.mark.parametrize(
    ("digest", "code"), [(ZEROS, "InvalidLayerException"), ("sha512:" + "0" * 128, "InvalidLayerException")]
)
async def test_an_upload_of_other_bytes_than_its_digest_is_refused(place: Place, digest: str, code: str) -> None:
    async with upload_of_four_bytes(place) as upload_id:
        members = {"repositoryName": NAME, "uploadId": upload_id, "layerDigests": [digest]}
        await check_refused(place, Bad(COMPLETE, json.dumps(members).encode(), code, digest))
