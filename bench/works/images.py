"""Small images, pushed whole: a layer of 10 KiB, its config, its manifest under a tag."""

import secrets
from collections.abc import Callable
from functools import partial

from bench import oci, page_cache
from bench.load import Load
from bench.peers.peer import Peer
from bench.samples import MIB, small_image
from bench.turns import take_turns
from bench.wire import Connection
from bench.works.layers import PUSH_SECONDS
from bench.works.small import registry_of
from bench.works.work import Pace, Unit, Work

CONNECTIONS = 2
READY_BYTES = 64 * MIB


class PushImages(Work):
    """Images that the registry has never seen: seven requests each."""

    section = "small"

    def __init__(self) -> None:
        super().__init__("push of small images", Unit.IMAGE, CONNECTIONS)

    def suits(self, peer: Peer) -> bool:
        return peer.registry is not None and peer.takes_pushes

    def prepare(self, peer: Peer) -> None:
        registry = registry_of(peer)
        with Connection(registry.address) as connection:
            oci.push_image(connection, registry, small_image(), "first")

    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        registry = registry_of(peer)
        waiting = iter([(small_image(), secrets.token_hex(4)) for _ in range(pace.pushed_images)])
        page_cache.make_ready(READY_BYTES)

        def turn(connection: Connection) -> int | None:
            image, tag = next(waiting, (None, ""))
            if image is None:
                return None
            oci.push_image(connection, registry, image, tag)
            return 1

        return partial(take_turns, registry.address, turn, connections=CONNECTIONS, seconds=PUSH_SECONDS)
