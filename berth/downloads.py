"""Addresses that download one layer for a while. ECR API reference, "GetDownloadUrlForLayer"."""

import time

import orjson

from berth.identity.passwords import KeyRing
from berth.names import Digest, Registry
from berth.sealing import SealBroken
from berth.store.contract import Blob

PATH = "/downloads/"
SECONDS = 3600
_PURPOSE = "download address"


class DownloadExpired(Exception):
    """The address was good once: GetDownloadUrlForLayer gives a new one."""


def close(keyring: KeyRing, blob: Blob, now: float | None = None) -> str:
    """The path of a download of `blob` that holds for an hour."""
    expires_at = int(time.time() if now is None else now) + SECONDS
    claims = [blob.registry.account, blob.registry.region, blob.digest, expires_at]
    return PATH + keyring.close(orjson.dumps(claims), _PURPOSE)


def open_path(keyring: KeyRing, path: str, now: float | None = None) -> Blob:
    """The blob that `path` downloads. Raises SealBroken, DownloadExpired."""
    if not path.startswith(PATH):
        raise SealBroken(f"this is not a {_PURPOSE}")
    account, region, digest, expires_at = orjson.loads(keyring.open(path.removeprefix(PATH), _PURPOSE))
    if expires_at <= (time.time() if now is None else now):
        raise DownloadExpired
    return Blob(Registry(account, region), Digest(digest))
