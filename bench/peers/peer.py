"""A server that runs, ready to be measured."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.cpu import ProcessTree
from bench.memory import Memory
from bench.oci import Registry
from bench.samples import Image, LargeLayer
from bench.wire import Address


class PeerMissing(Exception):
    """The server is not to be had here; the text says what to install."""


@dataclass
class Peer:
    """What the works need to know of a server."""

    name: str
    # What it does for a request beyond answering it, for the reader of the table.
    terms: str
    tree: ProcessTree
    api: Address | None = None
    registry: Registry | None = None
    # Puts the small image and a large layer where GETs find them.
    hold: Callable[[Image, LargeLayer], None] | None = None
    takes_pushes: bool = True
    # The repository whose images are described, where it has a page of them.
    images_in: str | None = None
    # Where the tags and the referrers of what it was filled with are listed.
    lists: Registry | None = None
    # From its start to readiness; Berth's second start, for the first makes the database.
    start_seconds: float = 0.0
    # Before it was asked anything.
    at_rest: list[Memory] = field(default_factory=list)


Starting = Callable[[Path], AbstractContextManager[Peer]]
"""Starts the server in an empty folder. Raises PeerMissing and processes.ServerFailed."""
