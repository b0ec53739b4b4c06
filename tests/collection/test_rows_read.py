"""With a million blobs, collection reads the rows of what changed, and no others.

BERTH_TEST_COLLECTED_BLOBS sets how many there are.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from berth.database.db import Database
from berth.names import Registry
from berth.store.filesystem import FilesystemStore
from tests.collection.place import Place
from tests.conftest import running_postgres

BLOBS = int(os.environ.get("BERTH_TEST_COLLECTED_BLOBS", "1000000"))
# An image for each ten of them; all that is needed, and was looked at before.
FILL = (
    "INSERT INTO repositories (account, region, name, tag_mutability, encryption)"
    " SELECT '000000000001', 'us-east-1', 'full/' || n, 'MUTABLE', '{}' FROM generate_series(1, 10) n",
    "INSERT INTO images (repository_id, digest, media_type, size, manifest)"
    " SELECT 1 + n % 10, 'sha256:' || md5('image' || n), 'm', 1, '' FROM generate_series(1, %(blobs)s / 10) n",
    "INSERT INTO layers (account, region, digest, size)"
    " SELECT '000000000001', 'us-east-1', 'sha256:' || md5(n::text), 1 FROM generate_series(1, %(blobs)s) n",
    "INSERT INTO repository_layers (repository_id, digest, size, unused_since)"
    " SELECT 1 + n % 10, 'sha256:' || md5(n::text), 1, NULL FROM generate_series(1, %(blobs)s) n",
    "INSERT INTO image_references (repository_id, digest, referenced, kind, media_type)"
    " SELECT 1 + n % 10, 'sha256:' || md5('image' || (1 + n % (%(blobs)s / 10))), 'sha256:' || md5(n::text), 'layer',"
    " 'm' FROM generate_series(1, %(blobs)s) n",
    "INSERT INTO deleted_images (account, region, repository, repository_id, digest, media_type, annotations, size,"
    " pushed_at, storage_class, manifest, tags, deleted_at) SELECT '000000000001', 'us-east-1', 'full/1', 1,"
    " 'sha256:' || md5('deleted' || n), 'm', '{}', 1, now(), 'STANDARD', '', '{}', now() + interval '1 day'"
    " FROM generate_series(1, %(blobs)s / 10) n",
    "INSERT INTO deleted_image_references (deleted_image_id, referenced, kind, media_type)"
    " SELECT id, 'sha256:' || md5(id::text), 'layer', 'm' FROM deleted_images",
)
TABLES = ("layers", "repository_layers", "images", "image_references", "deleted_images", "deleted_image_references")
_NAMES = ", ".join(f"'{table}'" for table in TABLES)
# Those of other tables to these before the keys that they lead to.
KEYS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('f', 'p')"
    f" AND (conrelid::regclass::text IN ({_NAMES}) OR confrelid::regclass::text IN ({_NAMES})) ORDER BY contype"
)
INDEXES = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({_NAMES})"
READ = (
    "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), sum(coalesce(seq_tup_read, 0))"
    f" FROM pg_stat_user_tables WHERE relname IN ({_NAMES})"
)


@pytest.fixture(scope="module")
def full_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("full")) as (url, _):
        with psycopg.connect(url, autocommit=True) as connection, unindexed(connection):
            for table in TABLES:
                connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
            for statement in FILL:
                connection.execute(statement.replace("%(blobs)s", str(BLOBS)).encode())
        yield url


@contextlib.contextmanager
def unindexed(connection: psycopg.Connection) -> Iterator[None]:
    """The tables have no keys and no indexes meanwhile, so that rows come quickly; what they refer to is there."""
    keys = connection.execute(KEYS.encode()).fetchall()
    for table, name, _ in keys:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
    indexes = connection.execute(INDEXES.encode()).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    connection.execute("SET maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        connection.execute(definition.encode())
    for table, name, definition in reversed(keys):
        # What refers need not be checked row by row.
        how = "NOT VALID" if definition.startswith("FOREIGN KEY") else ""
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} {how}".encode())


def rows_read(url: str) -> tuple[int, int]:
    """Rows of these tables that all who have gone have read; and those read by going through a whole table."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(READ.encode()).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("is_analyzed", [False, True])
async def test_collection_reads_what_changed_alone(full_url: str, tmp_path: Path, is_analyzed: bool) -> None:
    if is_analyzed:
        with psycopg.connect(full_url, autocommit=True) as connection:
            connection.execute("ANALYZE")

    async def collected(changes: int) -> int:
        """How many rows a collection reads after so many pushes and deletions."""
        database = Database(full_url)
        place = Place(database, FilesystemStore(tmp_path), Registry("000000000001", "us-east-1"))
        pushed = [await place.push("full/1", b"%d" % n, tags=["v"], note=str(n)) for n in range(changes)]
        for image in pushed[: changes // 2]:
            await place.delete("full/1", image)
        await database.close()
        before, through_before = rows_read(full_url)
        place.database = Database(full_url)
        done = await place.collect()
        await place.database.close()
        assert (done.images, done.layers, done.blobs) == (changes // 2,) * 3
        after, through = rows_read(full_url)
        assert through == through_before, "a table was gone through from end to end"
        return after - before

    assert await collected(0) == 0
    assert await collected(40) < 40 * 25
