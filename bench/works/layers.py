"""Layers of 100 MiB, pulled and pushed."""

import hashlib
from collections.abc import Callable
from functools import partial

from bench import oci, page_cache
from bench.load import Load
from bench.peers.peer import Peer
from bench.samples import LARGE_BYTES, LargeLayer, large_layer
from bench.turns import take_turns
from bench.wire import AnswerBroken, Connection
from bench.works.small import registry_of
from bench.works.work import Pace, Unit, Work

# Who is so slow gets less done.
PUSH_SECONDS = 20.0


class Pull(Work):
    section = "layers"

    def __init__(self, layer: LargeLayer, connections: int) -> None:
        super().__init__("pull of 100 MiB layers", Unit.GIB, connections)
        self._layer = layer

    def suits(self, peer: Peer) -> bool:
        return peer.registry is not None

    def prepare(self, peer: Peer) -> None:
        registry = registry_of(peer)
        with Connection(registry.address) as connection:
            answer = connection.ask(registry.get_blob(self._layer.digest))
        if f"sha256:{hashlib.sha256(answer.body).hexdigest()}" != self._layer.digest:
            raise AnswerBroken(f"status {answer.status}, or other bytes than were pushed")

    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        registry = registry_of(peer)
        turn = partial(oci.pull, request=registry.get_blob(self._layer.digest))
        return partial(take_turns, registry.address, turn, connections=self.connections, seconds=pace.seconds)


class Push(Work):
    """Layers that the registry has never seen: POST, PATCH, PUT."""

    section = "layers"

    def __init__(self, connections: int) -> None:
        super().__init__("push of 100 MiB layers", Unit.GIB, connections)

    def suits(self, peer: Peer) -> bool:
        return peer.registry is not None and peer.takes_pushes

    def prepare(self, peer: Peer) -> None:
        registry = registry_of(peer)
        with Connection(registry.address) as connection:
            oci.push_layer(connection, registry, large_layer())

    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        registry = registry_of(peer)
        waiting = iter([large_layer() for _ in range(pace.pushed_layers)])
        # Twice, for other programs take their part.
        page_cache.make_ready(2 * pace.pushed_layers * LARGE_BYTES)

        def turn(connection: Connection) -> int | None:
            layer = next(waiting, None)
            if layer is None:
                return None
            oci.push_layer(connection, registry, layer)
            return LARGE_BYTES

        return partial(take_turns, registry.address, turn, connections=self.connections, seconds=PUSH_SECONDS)


def works(layer: LargeLayer) -> list[Work]:
    return [Pull(layer, 1), Pull(layer, 2), Push(1), Push(2)]
