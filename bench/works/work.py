"""What every work has: a name, a unit, the servers that can do it, and rounds."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from bench.load import Load
from bench.peers.peer import Peer


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is done: the whole run takes some minutes, `--quick` one."""

    rounds: int = 3
    # Of one round of requests or pulls.
    seconds: float = 2.0
    # In one round, over all connections.
    pushed_layers: int = 4
    pushed_images: int = 60


QUICK = Pace(rounds=2, seconds=0.5, pushed_layers=2, pushed_images=20)


class Unit(Enum):
    REQUEST = "request"
    IMAGE = "image"
    # What is done is told in bytes.
    GIB = "GiB"


class Work(ABC):
    section: ClassVar[str]

    def __init__(self, name: str, unit: Unit, connections: int) -> None:
        self.name = name
        self.unit = unit
        self.connections = connections

    @property
    def title(self) -> str:
        return f"{self.name}, {self.connections} connection{'s' if self.connections > 1 else ''}"

    @abstractmethod
    def suits(self, peer: Peer) -> bool:
        """Whether the server can do this work at all."""

    @abstractmethod
    def prepare(self, peer: Peer) -> None:
        """Do it once, and see that it is done right; what must be there before is made. Raises AnswerBroken."""

    @abstractmethod
    def round(self, peer: Peer, pace: Pace) -> Callable[[], Load]:
        """Make one round ready, outside what is measured; the function runs it."""
