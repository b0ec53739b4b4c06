"""The conditions and the range that a request for a blob has, as RFC 9110 has them: a blob is called by its digest."""

import re
from dataclasses import dataclass

from aiohttp import ETag, web

from berth.names import Digest
from dataplane.errors import OciError

# RFC 9110, "Range Specifiers": one range of bytes. (Several at once are nothing that a registry's client asks for.)
_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,19})-(?P<last>[0-9]{0,19})|-(?P<suffix>[0-9]{1,19}))")


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of a blob from `first` to `last`, both inclusive; `last` is -1 of a blob without any."""

    first: int
    last: int
    is_whole: bool

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def headers(self, size: int) -> dict[str, str]:
        length = {"Content-Length": str(self.length)}
        return length if self.is_whole else length | {"Content-Range": f"bytes {self.first}-{self.last}/{size}"}


def is_known(request: web.Request, digest: Digest) -> bool:
    """Whether the client has the blob already (304). Raises OciError where it wants another one than this (412)."""
    wanted, had = request.if_match, request.if_none_match
    if wanted is not None and not _names(wanted, digest):
        raise OciError(412, "DENIED", f"If-Match does not name '{digest}', which is what is here")
    return had is not None and _names(had, digest)


def part(request: web.Request, size: int) -> Part:
    """What of the blob, which has `size` bytes, the client asks for. Raises OciError (416)."""
    header = request.headers.get("Range")
    if header is None:
        return Part(0, size - 1, is_whole=True)
    matched = _RANGE.fullmatch(header.strip())
    if matched is not None:
        suffix = int(matched["suffix"] or 0)
        first = max(0, size - suffix) if suffix else int(matched["first"] or size)
        last = min(size - 1, int(matched["last"] or size))
        if first <= last:
            return Part(first, last, is_whole=False)
    message = f"'{header[:100]}' is not one range, such as bytes=0-99, within the {size} bytes of the layer"
    raise OciError(416, "RANGE_INVALID", message, {"Content-Range": f"bytes */{size}"})


def _names(tags: tuple[ETag, ...], digest: Digest) -> bool:
    return any(tag.value in {"*", digest} for tag in tags)
