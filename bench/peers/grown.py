"""Berth that has grown: 100,000 repositories, 100,000 images in one of them, 100,000 referrers in another."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.peers import berth
from bench.peers.filling import fill
from bench.peers.peer import Peer

# ECR user guide, "Amazon ECR service quotas": repositories of a registry, and images of a repository.
GROWN = 100_000


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[Peer]:
    with berth.starting(folder) as peer:
        fill(folder, GROWN, GROWN)
        peer.name = f"Berth, {GROWN:,} of each"
        peer.terms = (
            f"the same, with {GROWN:,} repositories, {GROWN:,} tagged images in one, {GROWN:,} referrers in another"
        )
        peer.at_rest, peer.registry, peer.hold = [], None, None
        yield peer
