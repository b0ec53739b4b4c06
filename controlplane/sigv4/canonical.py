"""The canonical forms of a request's parts that Signature Version 4 signs.

IAM user guide, "Create a signed AWS API request", step 1; the rules are those for every service but S3.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote_to_bytes

UNRESERVED = "-._~"
SPACES = re.compile(r"[ \t\r\n]+")


def canonical_path(path: str) -> str:
    """`path` as it came, without empty and dot segments, encoded once more."""
    return _encoded(normalized_path(path), safe="/" + UNRESERVED)


def normalized_path(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    trailing = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{trailing}"


def canonical_query(query: str, without: Sequence[str] = ()) -> str:
    """The parameters, each encoded in the one way that is canonical, in the order of their encoded names and values.

    `without` are the names of those that are left out.
    """
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_reencoded(name), _reencoded(value)))
    pairs = [pair for pair in pairs if pair[0] not in without]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_headers(fields: Mapping[str, Sequence[str]], names: Sequence[str]) -> str:
    """A line for each of `names` (in small letters): its values, trimmed, in the order they came."""
    return "".join(
        f"{name}:{','.join(SPACES.sub(' ', value).strip(' ') for value in fields[name])}\n" for name in names
    )


def _reencoded(text: str) -> str:
    return quote(unquote_to_bytes(text.encode(errors="surrogateescape")), safe=UNRESERVED)


def _encoded(text: str, safe: str) -> str:
    return quote(text.encode(errors="surrogateescape"), safe=safe)
