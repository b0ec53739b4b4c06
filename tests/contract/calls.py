"""Raw calls of the ECR API: signed with Signature Version 4, over a connection that stays open, with nothing mended."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Self

from berth.identity.credentials.access_keys import AccessKey
from tests.contract import answers, model

# A call that takes longer is a hang.
SECONDS = 30.0
SIGNED_HEADERS = "content-type;host;x-amz-date;x-amz-target"
_TARGET = model.SERVICE.metadata["targetPrefix"]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes
    # What botocore reads of it.
    parsed: dict[str, Any] = field(repr=False)

    @property
    def code(self) -> str | None:
        """The code of the error; None where there is none."""
        return self.parsed["Error"]["Code"] if "Error" in self.parsed else None

    @property
    def message(self) -> str:
        return str(self.parsed["Error"]["Message"])


class Line:
    """A connection to HOST:PORT on which one call follows another; every answer is checked strictly."""

    def __init__(self, address: str, key: AccessKey, region: str) -> None:
        self._address, self._key, self._region = address, key, region
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._hang_up()

    async def call(self, operation: str, members: Any) -> RawAnswer:
        """Call with these members as JSON."""
        return await self.send(operation, json.dumps(members).encode())

    async def send(self, operation: str, body: bytes) -> RawAnswer:
        """Call with this body, whatever it is."""
        async with asyncio.timeout(SECONDS):
            status, headers, content = await self._exchange(self._request(operation, body) + body)
        if headers.get("connection", "").lower() == "close":
            await self._hang_up()
        parsed = answers.check(model.OPERATIONS[operation], status, headers, content)
        return RawAnswer(status, headers, content, parsed)

    async def _exchange(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        if self._writer is None:
            host, _, port = self._address.rpartition(":")
            self._reader, self._writer = await asyncio.open_connection(host, port, limit=1 << 24)
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("ascii")
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        assert len(headers) == len(lines), head
        return int(first.split(" ")[1]), headers, await self._reader.readexactly(int(headers["content-length"]))

    async def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            await self._writer.wait_closed()
            self._writer = None

    def _request(self, operation: str, body: bytes) -> bytes:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self._region}/ecr/aws4_request"
        signed = (
            f"content-type:{answers.CONTENT_TYPE}\nhost:{self._address}\n"
            f"x-amz-date:{moment}\nx-amz-target:{_TARGET}.{operation}\n"
        )
        canonical = f"POST\n/\n\n{signed}\n{SIGNED_HEADERS}\n{hashlib.sha256(body).hexdigest()}"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _mac(_signing_key(self._key.secret, scope), text).hex()
        credential = f"Credential={self._key.id}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"
        lines = signed.replace("\n", "\r\n")
        return (
            f"POST / HTTP/1.1\r\n{lines}Authorization: AWS4-HMAC-SHA256 {credential}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()


@lru_cache(maxsize=64)
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
