"""The tables of the database that the settings name."""

from berth.cli.preparation import NotPrepared, database_url, unavailable
from berth.database import migrations
from berth.database.db import DatabaseUnavailable
from berth.settings import Settings


def migrate(settings: Settings) -> tuple[str, ...]:
    """Bring the tables up to date, and return the steps that it took. Raises NotPrepared."""
    steps = _migrations_state(settings).pending
    return migrations.upgrade(database_url(settings)) if steps else ()


def pending_migrations(settings: Settings) -> tuple[str, ...]:
    """Raises NotPrepared."""
    return _migrations_state(settings).pending


def _migrations_state(settings: Settings) -> migrations.State:
    try:
        state = migrations.state(database_url(settings))
    except DatabaseUnavailable as error:
        raise NotPrepared(unavailable(settings, str(error))) from error
    if state.newer:
        raise NotPrepared(
            f"the database is at revision {state.revision}, which this Berth does not know: a newer one has migrated it"
        )
    return state
