"""Who holds a data folder: one `berth up` at a time, which tells the others where it listens."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from berth.settings import Settings

LOCK_NAME = "lock"
FILES = ("tls_certificate", "tls_key")
TOLD = (
    "api_listen",
    "registry_listen",
    "account_id",
    "region",
    "api_endpoint",
    "api_proxy_protocol",
    "registry_proxy_protocol",
    *FILES,
)


class FolderUnusable(Exception):
    """The data folder is another `berth up`'s, or cannot be written to; the text says which."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A running `berth up`."""

    pid: int
    since: str
    api_listen: str
    registry_listen: str
    account_id: str
    region: str
    api_endpoint: str
    api_proxy_protocol: bool
    registry_proxy_protocol: bool
    tls_certificate: str | None
    tls_key: str | None

    @classmethod
    def this_process(cls, settings: Settings) -> "Holder":
        now = datetime.now(UTC).isoformat(timespec="seconds")
        told = {name: getattr(settings, name) for name in TOLD}
        files = {name: str(told[name].absolute()) for name in FILES if told[name] is not None}
        return cls(os.getpid(), now, **{**told, **files})

    def settings(self) -> dict[str, Any]:
        """What it was told that others go by, too."""
        told = {name: getattr(self, name) for name in TOLD}
        return {**told, **{name: Path(told[name]) for name in FILES if told[name] is not None}}

    def __str__(self) -> str:
        return f"process {self.pid} since {self.since} (API {self.api_listen}, registry {self.registry_listen})"


@contextlib.contextmanager
def holding(settings: Settings) -> Iterator[None]:
    """Hold the data folder, made at need, for as long as the context lasts. Raises FolderUnusable.

    The kernel gives the lock back when the process ends, however it ends.
    """
    try:
        make_data_folder(settings.data)
        descriptor = os.open(settings.data / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        where = settings.data.absolute()
        raise FolderUnusable(f"cannot use the data folder {where} (BERTH_DATA): {error.strerror}") from error
    with os.fdopen(descriptor, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = holder(settings.data)
            raise FolderUnusable(f"{settings.data.absolute()} is in use by {who or 'another berth up'}") from None
        lock.truncate(0)
        lock.write(json.dumps(asdict(Holder.this_process(settings))))
        lock.flush()
        yield
        lock.truncate(0)


def holder(data: Path) -> Holder | None:
    """The `berth up` that runs on the data folder now."""
    try:
        with (data / LOCK_NAME).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Holder(**json.loads(lock.read()))
    except (OSError, ValueError, TypeError):
        return None
    return None


def as_running(settings: Settings) -> Settings:
    """The settings, with those that nobody gave taken from the `berth up` that runs on the same data folder."""
    running = holder(settings.data)
    if running is None:
        return settings
    known = {name: value for name, value in running.settings().items() if name not in settings.model_fields_set}
    return settings.model_copy(update=known)


def make_data_folder(data: Path) -> None:
    """For its owner alone. Root's may be entered by the user who runs PostgreSQL in it, but not listed."""
    if not data.exists():
        data.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700)
