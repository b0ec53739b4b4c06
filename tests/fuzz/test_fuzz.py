"""Tens of thousands of calls generated from the model: no fault of Berth's own, and no answer that is not the model's.

BERTH_TEST_FUZZ_CALLS sets how many calls there are in all, BERTH_TEST_FUZZ_SEED the first of the seeds: those of CI are
always the same. A failure tells the seed, the number of the call, and the call.
"""

import asyncio
import base64
import os
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog

from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from tests.contract import model
from tests.contract.calls import Line
from tests.fuzz.calls import KNOWN, Calls
from tests.fuzz.memory import Memory
from tests.stateful.catalog import IMAGES

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

CALLS = int(os.environ.get("BERTH_TEST_FUZZ_CALLS", "20000"))
SEED = int(os.environ.get("BERTH_TEST_FUZZ_SEED", "1"))
# Parts of it that the workers of xdist can share, and lines of each, which call at the same time.
PARTS = 4
LINES = 4
FILL_EVERY = 250
NO_UPLOAD = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def nothing_fails() -> Iterator[None]:
    with structlog.testing.capture_logs(processors=[structlog.processors.format_exc_info]) as lines:
        yield
    errors = [line for line in lines if line["log_level"] in {"error", "critical"}]
    assert not errors, errors


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
async def test_no_call_meets_a_fault(api_url: str, root_key: AccessKey, registry: Registry, part: int) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    address = api_url.removeprefix("http://")

    async def talk(number: int) -> None:
        async with Line(address, root_key, registry.region) as line:
            seed = (SEED * PARTS + part) * LINES + number
            await converse(line, seed, registry, outcomes, fills=number == 0)

    async with Line(address, root_key, registry.region) as line:
        await fill(line)
    await asyncio.gather(*(talk(number) for number in range(LINES)))
    ready = await asyncio.to_thread(urllib.request.urlopen, f"{api_url}/readyz")
    with ready:
        assert ready.status == 200
    if "BERTH_TEST_FUZZ_TELL" in os.environ:
        sys.stdout.write("\n".join(f"{number} {what}" for what, number in sorted(outcomes.items())))


async def converse(
    line: Line, seed: int, registry: Registry, outcomes: Counter[tuple[str, str]], *, fills: bool
) -> None:
    """One line's share of the calls; the line that `fills` puts back from time to time what the others took away."""
    memory = Memory()
    calls = Calls(seed, memory, registry.arn)
    for position in range(CALLS // PARTS // LINES):
        if fills and position and position % FILL_EVERY == 0:
            await fill(line)
        operation, body = calls.next()
        try:
            answer = await line.send(operation, body)
            assert answer.status < 500
        except Exception as error:
            raise AssertionError(f"seed {seed}, call {position}: {operation} {body!r:.3000}") from error
        outcomes[operation, answer.code or "done"] += 1
        if answer.code is None:
            memory.learn(model.OPERATIONS[operation].output_shape, answer.parsed)


async def fill(line: Line) -> None:
    """Put the images into the repositories, as far as they are not there, and nobody else takes them away meanwhile."""
    for name in KNOWN["RepositoryName"]:
        repository = {"repositoryName": name}
        await line.call("CreateRepository", repository)
        for layer in dict.fromkeys(layer for image in IMAGES for layer in image.blobs):
            begun = (await line.call("InitiateLayerUpload", repository)).parsed
            upload = {**repository, "uploadId": begun.get("uploadId", NO_UPLOAD)}
            content = base64.b64encode(layer.content).decode()
            part = {"partFirstByte": 0, "partLastByte": len(layer.content) - 1, "layerPartBlob": content}
            await line.call("UploadLayerPart", {**upload, **part})
            await line.call("CompleteLayerUpload", {**upload, "layerDigests": [layer.digest]})
        for number, image in enumerate(IMAGES):
            await line.call("PutImage", {**repository, "imageManifest": image.manifest, "imageTag": f"v{number}"})
