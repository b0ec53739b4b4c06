"""Hashes that grow with an upload, and are remembered between the requests that bring it."""

import hashlib
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from berth.names import Digest

REMEMBERED_HASHES = 256
DEFAULT_ALGORITHM = "sha256"


class Hash(Protocol):
    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class Hashed:
    """The SHA-256 of the first `size` bytes of an upload."""

    size: int
    hash: Hash

    @classmethod
    def nothing(cls) -> "Hashed":
        return cls(0, hashlib.new(DEFAULT_ALGORITHM))

    @property
    def digest(self) -> Digest:
        return Digest(f"{DEFAULT_ALGORITHM}:{self.hash.hexdigest()}")


class RememberedHashes:
    """How far this process has hashed the uploads that it wrote to last."""

    def __init__(self) -> None:
        self._hashes: OrderedDict[uuid.UUID, Hashed] = OrderedDict()

    def take(self, upload: uuid.UUID) -> Hashed | None:
        """A hash is believed only if all that it covers was acknowledged: give it back when that is so."""
        return self._hashes.pop(upload, None)

    def keep(self, upload: uuid.UUID, hashed: Hashed) -> None:
        self._hashes[upload] = hashed
        if len(self._hashes) > REMEMBERED_HASHES:
            self._hashes.popitem(last=False)

    def clear(self) -> None:
        self._hashes.clear()
