"""Blobs that leave a bucket: by requests of which it is known when they can no longer arrive (ADR 14)."""

from collections.abc import Callable
from datetime import timedelta

import aiohttp
from yarl import URL

from berth.store.contract import Confirm, RemovalUnsettled
from berth.store.s3.faults import S3Missing, S3Passing, S3Refused, refusal
from berth.store.s3.wire import CONNECT_SECONDS, CONNECTIONS, REQUEST_SECONDS, Wire

# The server refuses what arrives later than so long after it was signed, whatever held it up.
EXPIRES_SECONDS = 120
# From `confirm` on, what was signed before it; the rest is for clocks that differ.
SETTLES_AFTER = timedelta(minutes=10)
# Amazon S3 API reference, "Error responses": by these the server says that it did not do it, and will not.
_NOT_DONE = {"SlowDown", "ServiceUnavailable", "RequestTimeout"}


class Removals:
    """Each is sent once, on a connection of its own: one that is used again may be found closed."""

    def __init__(self, wire: Wire, full: Callable[[str], str]) -> None:
        self._wire = wire
        self._full = full
        self._made: aiohttp.ClientSession | None = None

    async def remove(self, key: str, confirm: Confirm | None) -> None:
        """No error where there is no such object. Raises RemovalUnsettled, S3Refused, and what `confirm` raises."""
        # Signed first: who is held up after `confirm` sends what has expired.
        url = await self._wire.expiring("DELETE", self._full(key), EXPIRES_SECONDS)
        if confirm is not None:
            await confirm()
        try:
            async with self._session.delete(URL(url, encoded=True), allow_redirects=False) as response:
                content = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise S3Passing(type(error).__name__, "the store cannot be reached to remove a blob") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RemovalUnsettled(f"the store does not answer DELETE: {type(error).__name__}") from error
        if response.status >= 300:
            _check(refusal("DELETE", response.status, response.headers, content), response.status)

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._made is None:
            self._made = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, force_close=True),
                timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers={"User-Agent", "Accept-Encoding"},
            )
            # It would send a DELETE again by itself where the connection breaks, which no public setting prevents.
            self._made._retry_connection = False
        return self._made


def _check(refused: S3Refused, status: int) -> None:
    if isinstance(refused, S3Missing):
        return
    # Such an answer may be from somebody on the way, who has passed the request on.
    if status >= 500 and refused.code not in _NOT_DONE:
        raise RemovalUnsettled(str(refused)) from refused
    raise refused
