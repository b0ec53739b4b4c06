"""Migrations: bringing a database's tables, and those of its job queue, to what this Berth needs."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager, migrations_path
from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from berth.database.db import DatabaseUnavailable
from berth.database.revision import FOLDER
from berth.schema import metadata

# Any number that no other program takes as an advisory lock in Berth's database.
LOCK = 0x6265727468
QUEUE_VERSION = "job_queue_version"


@dataclass(frozen=True, slots=True)
class State:
    """What a database has been migrated to (None: it is empty), and the steps that it lacks."""

    revision: str | None
    pending: tuple[str, ...]
    # The revision is none that this Berth knows: a newer one has migrated the database.
    newer: bool = False

    @property
    def current(self) -> bool:
        return not self.pending and not self.newer


def upgrade(database_url: str) -> tuple[str, ...]:
    """Apply what is pending, in one transaction, and return the names of these steps. Raises DatabaseUnavailable.

    Several processes may call this at once: one migrates, the others wait and find nothing to do.
    """
    with connecting(database_url) as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        pending = _state(connection).pending
        if pending:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _upgrade_queue(connection)
        return pending


def state(database_url: str) -> State:
    """How far the database has been migrated. Raises DatabaseUnavailable."""
    with connecting(database_url) as connection:
        return _state(connection)


@contextlib.contextmanager
def connecting(database_url: str) -> Iterator[Connection]:
    """A connection by psycopg, which can run many statements at once. Raises DatabaseUnavailable."""
    engine = create_engine(
        make_url(database_url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": 5, "application_name": "berth migrate"},
    )
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise DatabaseUnavailable(str(error.orig).strip().replace("\n", " ")) from error
    with connection:
        yield connection


def configure(context: Any, connection: Connection) -> None:
    """Tell an alembic context what belongs to Berth: the queue's tables are not in `schema.metadata`."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        include_name=is_berths,
    )


def is_berths(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not (name or "").startswith(("procrastinate_", QUEUE_VERSION))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def _state(connection: Connection) -> State:
    revision = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(_config())
    if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
        return State(revision, (), newer=True)
    missing = (
        [] if revision == scripts.get_current_head() else list(scripts.iterate_revisions("head", revision or "base"))
    )
    steps = [Path(script.path).stem for script in reversed(missing)]
    return State(revision, (*steps, *_pending_queue_steps(connection)))


def _queue_steps() -> list[str]:
    return sorted(file.name for file in Path(migrations_path).glob("*.sql"))


def _queue_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(QUEUE_VERSION):
        return None
    return connection.execute(text("SELECT step FROM job_queue_version")).scalar_one_or_none()


def _pending_queue_steps(connection: Connection) -> list[str]:
    version = _queue_version(connection)
    if version is None:
        return ["job queue"]
    return [f"job queue {step}" for step in _queue_steps() if step > version]


def _upgrade_queue(connection: Connection) -> None:
    """procrastinate brings its schema and the steps between its releases, but keeps no record of them: this does."""
    version = _queue_version(connection)
    if version is None:
        _run(connection, SchemaManager.get_schema())
        _run(
            connection, "CREATE TABLE job_queue_version (step text NOT NULL); INSERT INTO job_queue_version VALUES ('')"
        )
    else:
        for step in _queue_steps():
            if step > version:
                _run(connection, Path(migrations_path, step).read_text("utf-8"))
    connection.execute(text("UPDATE job_queue_version SET step = :step"), {"step": _queue_steps()[-1]})


def _run(connection: Connection, script: str) -> None:
    """Many statements as they stand: without parameters, `%` means itself."""
    connection.execution_options(no_parameters=True).exec_driver_sql(script)
