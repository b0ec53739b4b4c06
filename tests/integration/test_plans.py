"""What is looked for by its key is found by its key, also in a database that was never analyzed.

A prepared statement keeps the plan that it was given first: a wrong one would read a whole repository for one image.
"""

from collections.abc import Iterator

import psycopg
import pytest

from berth.database import migrations
from berth.database.questions import Question
from berth.identity import access, own_policies


@pytest.fixture(scope="module")
def new_url(postgres_url: str) -> Iterator[str]:
    """A database of which PostgreSQL knows nothing yet: the tables in a schema that no other test writes to."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA never_analyzed")
        url = f"{postgres_url}&options=-csearch_path%3Dnever_analyzed"
        migrations.upgrade(url)
        yield url
        connection.execute("DROP SCHEMA never_analyzed CASCADE")


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT 1 FROM repositories WHERE account = $1 AND region = $2 AND name = $3", "uq_repositories_account"),
        ("SELECT 1 FROM images WHERE repository_id = $1 AND digest = $2", "pk_images"),
        ("SELECT digest FROM tags WHERE repository_id = $1 AND tag = $2", "pk_tags"),
        ("SELECT tag FROM tags WHERE repository_id = $1 AND digest = $2", "ix_tags_digest"),
        # The same two columns as its key, the other way round.
        ("SELECT 1 FROM repository_layers WHERE repository_id = $1 AND digest = $2", "ix_repository_layers_digest"),
        (
            "SELECT 1 FROM image_references WHERE repository_id = $1 AND referenced = $2",
            "ix_image_references_referenced",
        ),
        ("SELECT digest FROM images WHERE repository_id = $1 AND digest > $2 ORDER BY digest LIMIT 100", "pk_images"),
    ],
)
def test_the_plan_takes_the_key(new_url: str, question: str, index: str) -> None:
    with psycopg.connect(new_url) as connection:
        lines = connection.execute(f"EXPLAIN (GENERIC_PLAN) {question}".encode()).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert f"using {index} " in plan, plan


@pytest.mark.parametrize("question", [access._ACCESS, own_policies._OWN])
def test_no_table_is_read_whole_to_know_who_may_do_what(new_url: str, question: Question) -> None:
    with psycopg.connect(new_url) as connection:
        lines = connection.execute(f"EXPLAIN (GENERIC_PLAN) {question.text}".encode()).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert "Seq Scan" not in plan, plan
