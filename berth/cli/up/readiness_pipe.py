"""The pipe on which a plane says what it lacks: of several at one port, each must be heard by itself."""

import contextlib
import os

MOST_BYTES = 65_536


class ReadinessPipe:
    """Made anew for each start of the process. The last line counts; an empty one says that nothing is missing."""

    def __init__(self) -> None:
        self._ours = self._theirs = -1
        self._said = b""

    def renew(self) -> int:
        """The descriptor for the process that is about to be started."""
        self.close()
        self._ours, self._theirs = os.pipe()
        os.set_blocking(self._ours, False)
        self._said = b""
        return self._theirs

    @property
    def descriptor(self) -> int:
        return self._theirs

    async def problem(self) -> str | None:
        with contextlib.suppress(BlockingIOError):
            self._said += os.read(self._ours, MOST_BYTES)
        *lines, rest = self._said.split(b"\n")
        if not lines:
            return "it has only started"
        self._said = lines[-1] + b"\n" + rest
        return lines[-1].decode(errors="replace") or None

    def close(self) -> None:
        for descriptor in (self._ours, self._theirs):
            if descriptor >= 0:
                os.close(descriptor)
        self._ours = self._theirs = -1
