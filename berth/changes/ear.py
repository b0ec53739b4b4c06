"""How a process hears what changed (berth/changes/telling.py), and knows whether it would."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from weakref import WeakSet

import asyncpg
import structlog

from berth.changes import moments
from berth.changes.moments import Moments
from berth.database.db import driver_url, is_disconnect
from berth.tasks import beside

log = structlog.get_logger()

CHANNEL = "berth_changes"
# What was heard of longer ago than this may have been missed: nothing remembered counts then.
HEARING_SECONDS = 1.0
# So often PostgreSQL is asked whether all that was told before has been heard.
BEAT_SECONDS = 0.25
RECONNECT_SECONDS = 0.25
Forget = Callable[[str | None], None]
_ears: WeakSet["Ear"] = WeakSet()


class Ear:
    """Hears which subjects changed, and when."""

    hearing_seconds = HEARING_SECONDS

    def __init__(self, url: str, folder: Path | None = None) -> None:
        """`folder`: by a file in it the processes of this machine know at once what each of them changed."""
        self._url = driver_url(url)
        self._forgetting: list[Forget] = []
        self._heard_until = float("-inf")
        self._moments = Moments(folder)
        # Of what was asked for before, anything may have changed.
        self._lost_at = 0
        _ears.add(self)

    def on_change(self, forget: Forget) -> None:
        """Call `forget` with each subject that changes, and with None when any may have."""
        self._forgetting.append(forget)

    @property
    def is_hearing(self) -> bool:
        """Whether all that changed up to a second ago has been heard."""
        return time.monotonic() < self._heard_until

    def is_current(self, place: int, moment: int) -> bool:
        """Whether what was asked for at `moment` is still so, for a subject of that place, as far as was heard."""
        return self._moments.last(place) < moment > self._lost_at

    def hear(self, subject: str) -> None:
        self._moments.note(subject)
        for forget in self._forgetting:
            forget(subject)

    def hear_confirmed(self, sent_at: float) -> None:
        """All that was told before `sent_at` (of time.monotonic) has been heard."""
        self._heard_until = sent_at + self.hearing_seconds

    def lose(self) -> None:
        """Nothing is heard from now on; what was may have changed since."""
        self._heard_until = float("-inf")
        self._lost_at = moments.now()
        for forget in self._forgetting:
            forget(None)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear for as long as the context lasts, over a connection that is made again whenever it breaks."""
        async with beside(self._listen(), "ear"):
            yield

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except Exception as error:
                if not isinstance(error, TimeoutError) and not is_disconnect(error):
                    log.exception("hearing what changes met a fault of Berth's own")
                elif self._heard_until > 0:
                    log.warning(
                        "what changes is not heard; nothing is remembered meanwhile", error=type(error).__name__
                    )
            finally:
                self.lose()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        connection = await asyncpg.connect(
            self._url, timeout=self.hearing_seconds * 5, server_settings={"application_name": "berth ear"}
        )
        connection.add_termination_listener(lambda _: self.lose())
        try:
            await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, subject: self.hear(str(subject)))
            # What changed before nobody told.
            self.lose()
            while True:
                sent_at = time.monotonic()
                # PostgreSQL answers after it has sent all that was told before it was asked.
                await connection.execute("SELECT 1", timeout=self.hearing_seconds)
                self.hear_confirmed(sent_at)
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            connection.terminate()


def hear(subjects: Iterable[str]) -> None:
    """What this process told itself: heard before PostgreSQL hands it round."""
    for listening in list(_ears):
        for subject in subjects:
            listening.hear(subject)
