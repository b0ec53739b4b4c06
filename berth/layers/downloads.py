"""Addresses that download one layer for a while. ECR API reference, "GetDownloadUrlForLayer"."""

import time
from dataclasses import dataclass

from berth.identity.credentials.passwords import KeyRing
from berth.identity.principals import Principal
from berth.names import Digest, Registry, RepositoryName
from berth.sealing import SealBroken

PATH = "/downloads/"
SECONDS = 3600
# Of another wording than that of the addresses that did not say who asked for them.
_PURPOSE = "address of a download"


class DownloadExpired(Exception):
    """The address was good once: GetDownloadUrlForLayer gives a new one."""


@dataclass(frozen=True, slots=True)
class Download:
    """The layer of a repository, and who asked for its address: whether they may have it is asked at each download."""

    principal: Principal
    registry: Registry
    name: RepositoryName
    digest: Digest


def close(keyring: KeyRing, download: Download, now: float | None = None) -> str:
    """The path of the download: it holds for an hour, or as long as the credentials of a session."""
    expires_at = int(time.time() if now is None else now) + SECONDS
    principal, registry = download.principal, download.registry
    if principal.session is not None:
        expires_at = min(expires_at, principal.session.expires_at)
    layer = [registry.account, registry.region, download.name, download.digest]
    return PATH + keyring.close_claims([*layer, expires_at, *principal.claims()], _PURPOSE)


def open_path(keyring: KeyRing, path: str, now: float | None = None) -> Download:
    """What `path` downloads. Raises SealBroken, DownloadExpired."""
    if not path.startswith(PATH):
        raise SealBroken(f"this is not an {_PURPOSE}")
    claims = keyring.open_claims(path.removeprefix(PATH), _PURPOSE)
    account, region, name, digest, expires_at, *principal = claims
    if expires_at <= (time.time() if now is None else now):
        raise DownloadExpired
    registry = Registry(account, region)
    return Download(Principal.of_claims(principal), registry, RepositoryName(name), Digest(digest))
