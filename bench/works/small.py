"""Manifests and a small blob: GET and HEAD."""

from collections.abc import Callable
from functools import partial

from bench.load import Load, drive
from bench.oci import Registry
from bench.peers.peer import Peer
from bench.samples import SMALL_BYTES, TAG, Image, digest_of
from bench.wire import AnswerBroken, Connection
from bench.works.work import Pace, Unit, Work

CONNECTIONS = 8


class SmallGet(Work):
    """The same request again and again."""

    section = "small"

    def __init__(self, name: str, request: Callable[[Registry], bytes], expected: bytes, *, of_files: bool) -> None:
        """`of_files`: a server of plain files can do it too."""
        super().__init__(name, Unit.REQUEST, CONNECTIONS)
        self._request = request
        self._expected = expected
        self._of_files = of_files

    def suits(self, peer: Peer) -> bool:
        return peer.registry is not None and (self._of_files or peer.takes_pushes)

    def prepare(self, peer: Peer) -> None:
        registry = registry_of(peer)
        request = self._request(registry)
        with Connection(registry.address) as connection:
            answer = connection.ask(request)
        if answer.status != 200 or (request.startswith(b"GET") and answer.body != self._expected):
            raise AnswerBroken(f"{self.name}: status {answer.status}, or other bytes")

    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        registry = registry_of(peer)
        requests = [self._request(registry)]
        return partial(drive, registry.address, requests, connections=CONNECTIONS, seconds=pace.seconds)


def works(image: Image) -> list[Work]:
    layer = digest_of(image.layer)
    assert len(image.layer) == SMALL_BYTES
    return [
        SmallGet("manifest GET by tag", lambda it: it.get_manifest(TAG), image.manifest, of_files=False),
        SmallGet("manifest GET by digest", lambda it: it.get_manifest(image.digest), image.manifest, of_files=True),
        SmallGet("manifest HEAD by tag", lambda it: it.get_manifest(TAG, "HEAD"), b"", of_files=False),
        SmallGet("blob GET of 10 KiB", lambda it: it.get_blob(layer), image.layer, of_files=True),
    ]


def registry_of(peer: Peer) -> Registry:
    assert peer.registry is not None
    return peer.registry
