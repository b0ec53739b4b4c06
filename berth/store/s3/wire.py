"""Requests to a bucket: signed, tried again while that may help, and their refusals told."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from yarl import URL

from berth.store.s3.access import Access
from berth.store.s3.faults import S3Passing, S3Refused, refusal
from berth.store.s3.signing import UNSIGNED, Signer

ATTEMPTS = 6
LONGEST_PAUSE_SECONDS = 5.0
CONNECT_SECONDS = 5.0
# For the next bytes of an answer.
SILENCE_SECONDS = 30.0
REQUEST_SECONDS = 60.0
CONNECTIONS = 128
READ_BUFFER_BYTES = 256 * 1024
SENT_AT_ONCE = 256 * 1024
_NO_BODY = hashlib.sha256(b"").hexdigest()
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError)

Bytes = bytes | bytearray


@dataclass(frozen=True, slots=True)
class Answer:
    headers: Mapping[str, str]
    body: bytes

    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)  # noqa: S314 (see faults)


class Wire:
    """This process's connections to one bucket."""

    def __init__(self, access: Access) -> None:
        self._address = access.address()
        self._public_address = access.address(public=True)
        self._signer = Signer(access)
        self._made: aiohttp.ClientSession | None = None

    async def ask(
        self,
        method: str,
        key: str = "",
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Bytes = b"",
        *,
        seconds: float = REQUEST_SECONDS,
    ) -> Answer:
        """The answer, where it is no refusal; in at most `seconds` for each attempt.

        Raises S3Refused, and S3Passing where all attempts failed.
        """
        url = _url(self._address, key, query)
        async for attempt in _attempts():
            with attempt:
                answer = await self._ask_once(method, url, dict(headers or {}), body, seconds)
        return answer

    @contextlib.asynccontextmanager
    async def get(self, key: str, byte_range: str | None) -> AsyncIterator[aiohttp.StreamReader]:
        """The bytes of an object as they come; `byte_range`: the value of a Range header. Raises S3Refused.

        Neither this nor reading is tried again. Raises S3Passing.
        """
        url = _url(self._address, key)
        headers = {"Range": byte_range} if byte_range else {}
        with _telling("GET"):
            signed = await self._signer.sign("GET", url, headers, _NO_BODY)
            async with self._session.get(URL(url, encoded=True), headers=signed, allow_redirects=False) as response:
                if byte_range and response.status == 200:
                    # Whoever takes the whole for a part sends other bytes than were asked for.
                    raise S3Refused("NoRange", "the store answers GET of a part of an object with all of it")
                if response.status not in (200, 206):
                    raise refusal("GET", response.status, response.headers, await response.read())
                yield response.content

    async def presigned(self, key: str, seconds: int) -> str:
        """An address of the object for clients. Raises StoreUnavailable."""
        return await self._signer.presign("GET", _url(self._public_address, key), seconds)

    async def expiring(self, method: str, key: str, seconds: int) -> str:
        """The address of a request that the server refuses where it arrives later. Raises StoreUnavailable."""
        return await self._signer.presign(method, _url(self._address, key), seconds)

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()

    async def _ask_once(self, method: str, url: str, headers: dict[str, str], body: Bytes, seconds: float) -> Answer:
        # Parts of layers are covered by a checksum of their own, which costs a quarter.
        is_part = any(name.startswith("x-amz-checksum-") for name in headers)
        sha256 = UNSIGNED if is_part else hashlib.sha256(body).hexdigest() if body else _NO_BODY
        with _telling(method):
            signed = await self._signer.sign(method, url, headers, sha256)
            if method in ("PUT", "POST"):
                signed["Content-Length"] = str(len(body))
            async with self._session.request(
                method,
                URL(url, encoded=True),
                headers=signed,
                data=_slices(body) if body else None,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS),
                allow_redirects=False,
            ) as response:
                content = await response.read()
            # Amazon S3 API reference, "CopyObject", "CompleteMultipartUpload": a 200 may turn out to be an error.
            is_refusal = response.status >= 300 or b"<Error>" in content[:200]
            if is_refusal:
                status = response.status if response.status >= 300 else 500
                raise refusal(method, status, response.headers, content)
            return Answer(response.headers, content)

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._made is None:
            self._made = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
                read_bufsize=READ_BUFFER_BYTES,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers={"User-Agent", "Accept-Encoding", "Content-Type"},
            )
        return self._made


def _attempts() -> AsyncRetrying:
    return AsyncRetrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=LONGEST_PAUSE_SECONDS),
        retry=retry_if_exception_type(S3Passing),
        reraise=True,
    )


@contextlib.contextmanager
def _telling(method: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise S3Passing(type(error).__name__, f"the store does not answer {method}: {_cause(error)}") from error


def _cause(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    return f"{type(error).__name__}{f' {number}' if number else ''}"


def _url(address: str, key: str, query: Mapping[str, str | int] | None = None) -> str:
    # Of the bucket itself the path is that of the address, which is "/" where the host names the bucket.
    url = f"{address}/{quote(key)}" if key or not urlsplit(address).path else address
    return f"{url}?{urlencode(query, quote_via=quote, safe='')}" if query else url


async def _slices(body: Bytes) -> AsyncIterator[memoryview]:
    """A large body would hold up all other requests of the process while it is copied to the socket at once."""
    view = memoryview(body)
    for start in range(0, len(view), SENT_AT_ONCE):
        yield view[start : start + SENT_AT_ONCE]
        await asyncio.sleep(0)
