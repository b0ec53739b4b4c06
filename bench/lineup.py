"""Who is measured: Berth and those peers that are to be had here, all started before the first round."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import berth, distribution, emulators, grown, nginx
from bench.peers.peer import Peer, PeerMissing, Starting
from bench.processes import ServerFailed
from bench.samples import Image, LargeLayer
from bench.wire import AnswerBroken

BERTH = "Berth"
# Beside Berth in the API: how it does when it has grown, and the emulators.
EMULATORS: dict[str, Starting] = {
    "Berth, grown": grown.starting,
    "moto": emulators.starting_moto,
    "ministack": emulators.starting_ministack,
}
REGISTRIES: dict[str, Starting] = {
    "docker-registry": distribution.starting_debian,
    "distribution 3": distribution.starting_version_3,
    "nginx": nginx.starting_nginx,
}


@dataclass(slots=True)
class Lineup:
    peers: list[Peer] = field(default_factory=list)
    # Why a server is not among them, by its name.
    missing: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def starting(folder: Path, image: Image, layer: LargeLayer, *, api: bool, registry: bool) -> Iterator[Lineup]:
    """Berth, and its peers in the API, in the registry or both; the registries hold the image and the layer."""
    wanted: dict[str, Starting] = {BERTH: berth.starting}
    wanted |= EMULATORS if api else {}
    wanted |= REGISTRIES if registry else {}
    lineup = Lineup()
    with contextlib.ExitStack() as stack:
        for number, (name, start) in enumerate(wanted.items()):
            print(f"starting {name}", file=sys.stderr, flush=True)
            own_folder = folder / str(number)
            own_folder.mkdir()
            try:
                peer = stack.enter_context(start(own_folder))
                if registry and peer.hold is not None:
                    peer.hold(image, layer)
                lineup.peers.append(peer)
            except (PeerMissing, ServerFailed, AnswerBroken, OSError) as error:
                lineup.missing[name] = str(error)
        yield lineup
