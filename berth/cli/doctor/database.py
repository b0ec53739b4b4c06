"""What Berth needs of its database: that it answers, its tables, the time, and secrets that can be opened."""

import stat
import time
from datetime import UTC, datetime

from sqlalchemy import text

from berth.cli.doctor.finding import Finding
from berth.cli.preparation import NotPrepared, database_url, root_key, unavailable
from berth.database import migrations
from berth.database.db import DatabaseUnavailable
from berth.sealing import SealBroken, master_seal
from berth.settings import Settings

OLDEST_VERSION = 14
# AWS signs with the time of the client: 15 minutes are allowed in all, and a good part of it is the client's own.
MOST_SKEW_SECONDS = 60


def database(settings: Settings) -> list[Finding]:
    """The database, its tables and the clock; without the first, nothing can be said of the others."""
    try:
        url = database_url(settings)
        started = time.monotonic()
        with migrations.connecting(url) as connection:
            version, now = connection.execute(text("SELECT current_setting('server_version'), clock_timestamp()")).one()
            milliseconds = (time.monotonic() - started) * 1000
        state = migrations.state(url)
    except NotPrepared as error:
        return [Finding("database", str(error), "start `berth up`, or set BERTH_DATABASE_URL")]
    except DatabaseUnavailable as error:
        mend = "start PostgreSQL, or correct BERTH_DATABASE_URL" if settings.database_url else "start `berth up`"
        return [Finding("database", unavailable(settings, str(error)), mend)]
    return [_version(version, milliseconds), _tables(state), _clock(now)]


async def credentials(settings: Settings) -> list[Finding]:
    """The master key, and the root's access key under it."""
    return [_master_key(settings), await _root_key(settings)]


def _version(version: str, milliseconds: float) -> Finding:
    answer = f"PostgreSQL {version} answers in {milliseconds:.0f} ms"
    if int(version.partition(".")[0]) < OLDEST_VERSION:
        return Finding("database", answer, f"use PostgreSQL {OLDEST_VERSION} or newer")
    return Finding("database", answer)


def _tables(state: migrations.State) -> Finding:
    if state.newer:
        return Finding("tables", f"at revision {state.revision}, of a newer Berth", "run that newer Berth")
    if state.pending:
        return Finding("tables", f"pending: {', '.join(state.pending)}", "run `berth migrate`")
    return Finding("tables", f"at revision {state.revision}")


def _clock(now: datetime) -> Finding:
    skew = abs((datetime.now(UTC) - now).total_seconds())
    answer = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, {skew:.1f} s off the database's"
    return Finding("clock", answer, "synchronize the clocks (NTP)" if skew > MOST_SKEW_SECONDS else "")


def _master_key(settings: Settings) -> Finding:
    file = settings.data.absolute() / "master.key"
    if settings.master_key is None:
        if not file.exists():
            return Finding("master key", f"{file} does not exist", "bring it back, or `berth up` makes a new one")
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            return Finding("master key", f"others may read {file}", f"chmod 600 {file}")
    try:
        master_seal(settings)
    except (SealBroken, OSError) as error:
        return Finding("master key", str(error), "openssl rand -base64 32 makes one; what was sealed needs the old one")
    return Finding("master key", "BERTH_MASTER_KEY" if settings.master_key else str(file))


async def _root_key(settings: Settings) -> Finding:
    try:
        key = await root_key(settings, settings.account_id)
    except NotPrepared as error:
        return Finding("root key", str(error), "run `berth migrate`, with the master key that this database had")
    return Finding("root key", f"{key.id} of account {settings.account_id}")
