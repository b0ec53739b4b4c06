"""An empty database becomes what berth/schema says, whoever asks for it and however often."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from berth.database import migrations, revision
from berth.database.db import DatabaseUnavailable
from berth.schema import metadata


@pytest.fixture
def empty_url(postgres_url: str) -> str:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS nothing")
        connection.execute("DROP SCHEMA nothing CASCADE")
        connection.execute("CREATE SCHEMA nothing")
    return f"{postgres_url}&options=-csearch_path%3Dnothing"


def test_the_tables_are_those_of_the_schema(postgres_url: str) -> None:
    with migrations.connecting(postgres_url) as connection:
        options = {"compare_server_default": True, "include_name": migrations.is_berths}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_collations_are_those_of_the_schema(postgres_url: str) -> None:
    """Which alembic does not compare where one side has none."""
    with migrations.connecting(postgres_url) as connection:
        rows = connection.execute(
            text(
                "SELECT table_name, column_name, collation_name FROM information_schema.columns"
                " WHERE table_schema = 'public'"
            )
        )
        actual = {(table, column): collation for table, column, collation in rows}
    for table in metadata.tables.values():
        for column in table.columns:
            expected = getattr(column.type, "collation", None)
            assert actual[table.name, column.name] == expected, f"{table.name}.{column.name}"


def test_an_empty_database_is_migrated_once(empty_url: str) -> None:
    assert migrations.state(empty_url).revision is None
    steps = migrations.upgrade(empty_url)
    assert steps[0].startswith("0001_")
    assert steps[-1] == "job queue"
    state = migrations.state(empty_url)
    assert state.current
    assert state.revision == revision.needed()
    assert migrations.upgrade(empty_url) == ()


def test_many_may_migrate_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(lambda _: migrations.upgrade(empty_url), range(6)))
    assert sorted(bool(steps) for steps in results) == [False] * 5 + [True]


def test_a_database_of_a_newer_berth_is_left_alone(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    state = migrations.state(empty_url)
    assert state.newer
    assert not state.current
    assert migrations.upgrade(empty_url) == ()


def test_steps_of_a_newer_job_queue_are_pending_until_they_are_run(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(empty_url)
    shutil.copytree(migrations.migrations_path, tmp_path / "steps")
    (tmp_path / "steps" / "99.00.00_01_pre_more.sql").write_text("CREATE TABLE of_99 (percent text DEFAULT '100 %');")
    monkeypatch.setattr(migrations, "migrations_path", str(tmp_path / "steps"))
    assert migrations.state(empty_url).pending == ("job queue 99.00.00_01_pre_more.sql",)
    assert migrations.upgrade(empty_url) == ("job queue 99.00.00_01_pre_more.sql",)
    assert migrations.state(empty_url).current
    with psycopg.connect(empty_url) as connection:
        connection.execute("INSERT INTO of_99 VALUES (DEFAULT)")


def test_a_database_that_does_not_answer_is_named_without_its_password(postgres_url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="Connection refused") as caught:
        migrations.state("postgresql://berth:canary-password@127.0.0.1:1/berth")
    assert "canary-password" not in str(caught.value)
