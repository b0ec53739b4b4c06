"""The addresses of the planes: bound once, by `berth up`, and handed down to each process that serves there.

So a port that is in use is found by whoever comes second, and connections that come while a process is started again
wait instead of being refused.
"""

import socket
import tempfile
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from berth.cli.up.supervisor import CannotStart
from berth.networks.sockets import AddressUnusable, bind
from berth.settings.faults import variable

COUNT_BYTES = 4


@dataclass
class Ports:
    """The sockets at the address in a setting, and the file in which the processes that share them count."""

    sockets: list[socket.socket]
    counts: IO[bytes]
    processes: int

    @classmethod
    def open(cls, setting: str, address: str, processes: int = 1) -> Self:
        """Raises CannotStart."""
        try:
            sockets = bind(address)
        except AddressUnusable as error:
            raise CannotStart(f"{error}; choose another by {variable(setting)}") from error
        counts = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            # Written, so that it has its room: the kernel kills who counts in a page that a full disk has none for.
            counts.write(bytes(COUNT_BYTES * processes))
            counts.flush()
        except OSError as error:
            raise CannotStart(f"cannot write to {tempfile.gettempdir()}: {error.strerror}") from error
        return cls(sockets, counts, processes)

    def arguments(self, number: int) -> list[str]:
        """What the process of that number, from 0 on, is told of them (listener/launch.py)."""
        sockets = ["--sockets", ",".join(str(listening.fileno()) for listening in self.sockets)]
        if self.processes == 1:
            return sockets
        return [*sockets, "--share", f"{self.counts.fileno()},{number},{self.processes}"]

    def descriptors(self) -> list[int]:
        return [*(listening.fileno() for listening in self.sockets), self.counts.fileno()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """From here on new connections are refused, once those who serve have closed theirs, too."""
        for listening in self.sockets:
            listening.close()
        self.counts.close()
