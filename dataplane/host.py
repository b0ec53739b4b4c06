"""Host and path → registry, repository and what of it: the addresses of OCI Distribution 1.1, "Endpoints"."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from aiohttp import web

from berth.names import Digest, NameInvalid, Registry, RepositoryName, Tag
from berth.registries.addresses import Addresses
from dataplane.errors import ManifestUnknown, OciError
from listener import HOST

_AFTER_NAME = {
    "manifests": "/manifests/(?P<reference>[^/]+)",
    "uploads": "/blobs/uploads/?",
    "upload": "/blobs/uploads/(?P<reference>[^/]+)",
    "blobs": "/blobs/(?P<reference>[^/]+)",
    "tags": "/tags/list",
    "referrers": "/referrers/(?P<reference>[^/]+)",
}
_KINDS = {kind: re.compile(f"/v2/(?P<name>.+){rest}", re.DOTALL) for kind, rest in _AFTER_NAME.items()}
_CATALOG = re.compile("/v2/(?:(?P<registry>.+[^/])/)?_catalog", re.DOTALL)
_LONGEST_PATH = 1024
# Of what may be answered at once, in letters that mean themselves: aiohttp would read it no other way.
_PLAIN = re.compile(
    r"(?P<path>/v2/[A-Za-z0-9._/-]{1,400}/(?:manifests|blobs|referrers)/[A-Za-z0-9._:-]{1,160})"
    r"(?:\?(?P<query>[A-Za-z0-9._:=&%+/-]{1,300}))?"
)
_ANSWERED_AT_ONCE = {"manifests", "blobs", "referrers"}
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about. `path` is the repository's as the client wrote it, for the addresses in the answer."""

    kind: str
    registry: Registry
    name: RepositoryName = field(default=RepositoryName(""))
    reference: str = ""
    path: str = "/v2"
    # As it was sent, without its `?`.
    query: str = ""
    # The ARN of the repository; of a catalog, that of all repositories of its registry.
    arn: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arn", self.registry.arn(self.name or "*"))

    def digest(self) -> Digest:
        """The reference, which must be a digest."""
        return parse_digest(self.reference)

    def tag_or_digest(self) -> Tag | Digest:
        """The reference of a manifest. One that no image can have names none."""
        try:
            return Digest.parse(self.reference) if ":" in self.reference else Tag.parse(self.reference)
        except NameInvalid:
            raise ManifestUnknown from None


class Plain:
    """The targets of requests that need no second look and may be answered at once; those that were asked for last."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self.find = lru_cache(_REMEMBERED)(self._find)

    def _find(self, host: str, path: str) -> Target | None:
        plain = _PLAIN.fullmatch(path)
        if not HOST.fullmatch(host) or not plain:
            return None
        try:
            target = _find(self._addresses, host, plain["path"], plain["query"] or "")
        except OciError:
            return None
        if target.kind not in _ANSWERED_AT_ONCE or (target.query and target.kind != "referrers"):
            return None
        return target


def find(request: web.Request, addresses: Addresses) -> Target:
    """Raises OciError for a path that is none of the API's, and for a name that no repository can have."""
    # Encoded slashes stay so: what a proxy in front of Berth took for one segment is one here, and no name has a `%`.
    path = request.rel_url.path_safe
    if len(path) > _LONGEST_PATH:
        raise OciError(414, "NAME_INVALID", f"a path has at most {_LONGEST_PATH} characters")
    return _find(addresses, request.headers.get("Host", ""), path, request.rel_url.raw_query_string)


def _find(addresses: Addresses, host: str, path: str, query: str) -> Target:
    if path in {"/v2", "/v2/"}:
        return Target("base", addresses.find(host, "").registry)
    catalog = _CATALOG.fullmatch(path)
    if catalog:
        place = addresses.find(host, catalog["registry"] or "")
        if not place.rest:
            return Target("catalog", place.registry, path=path.removesuffix("/_catalog"))
    for kind, expression in _KINDS.items():
        matched = expression.fullmatch(path)
        if matched:
            registry, name = repository(addresses, host, matched["name"])
            reference = matched.groupdict().get("reference", "")
            return Target(kind, registry, name, reference, f"/v2/{matched['name']}", query)
    raise OciError(404, "UNSUPPORTED", "there is nothing at this path; the API is OCI Distribution 1.1 under /v2/")


def repository(addresses: Addresses, host: str, path: str) -> tuple[Registry, RepositoryName]:
    """The registry and the repository that `path` names at `host`. Raises OciError."""
    place = addresses.find(host, path)
    try:
        return place.registry, RepositoryName.parse(place.rest)
    except NameInvalid:
        shown = place.rest[:256]
        message = f"'{shown}' is not a repository name: 2 to 256 of a-z, 0-9 and single separators . _ __ - /"
        raise OciError(400, "NAME_INVALID", message) from None


def parse_digest(text: str) -> Digest:
    try:
        return Digest.parse(text)
    except NameInvalid:
        message = f"'{text[:160]}' is not a digest: sha256: and 64, or sha512: and 128 hexadecimal digits in lower case"
        raise OciError(400, "DIGEST_INVALID", message) from None
