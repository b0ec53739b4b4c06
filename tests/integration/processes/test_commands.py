"""`berth env`, `berth migrate` and `berth doctor`, as a user calls them."""

import base64
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from berth.embedded import Cluster
from tests.berth_process import BERTH, BerthProcess, free_port


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """The address of an empty database (a schema, to Berth)."""
    name = f"empty_{os.urandom(4).hex()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        # Of the role: both drivers take it up, each with options of its own.
        connection.execute(f"ALTER ROLE berth SET search_path = {name}")
    yield postgres_url
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE berth RESET search_path")
        connection.execute(f"DROP SCHEMA {name} CASCADE")


def berth(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    return subprocess.run(
        [str(BERTH), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def thing(output: str, name: str) -> str:
    """What the doctor says of a thing, with how to mend it."""
    found = re.search(rf"^(. {name}\b.*(?:\n  → .*)?)", output, re.MULTILINE)
    assert found, output
    return found[1]


def test_env_says_where_there_is_no_berth(tmp_path: Path) -> None:
    done = berth(tmp_path, "env")
    assert done.returncode == 1
    assert done.stdout == "false\n", "for eval"
    assert "there is no Berth in" in done.stderr
    assert "`berth up` makes one" in done.stderr


def test_env_says_when_berth_does_not_run(tmp_path: Path) -> None:
    Cluster(tmp_path / ".berth").data.mkdir()
    Cluster(tmp_path / ".berth").set_up()
    done = berth(tmp_path, "env")
    assert done.returncode == 1
    assert done.stdout == "false\n"
    assert "is not running: start `berth up` in another terminal" in done.stderr


def test_env_takes_out_of_the_way_what_would_come_before_it(running_berth: BerthProcess) -> None:
    running_berth.environment |= {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "of another session",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    }
    exports = running_berth.exports()
    assert sorted(exports) == [
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_ECR",
        "AWS_ENDPOINT_URL_IAM",
        "AWS_ENDPOINT_URL_STS",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
    ]
    assert exports["AWS_ENDPOINT_URL_ECR"] == running_berth.api_url


def test_migrate(tmp_path: Path, empty_database: str) -> None:
    here = {"BERTH_DATABASE_URL": empty_database}
    check = berth(tmp_path, "migrate", "--check", **here)
    assert check.returncode == 1
    assert "pending: 0001_" in check.stdout
    done = berth(tmp_path, "migrate", **here)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^tables: 0001_\w+(, \d{4}_\w+)*, job queue$", done.stdout, re.MULTILINE)
    key = re.search(r"^root access key: (AKIA\w{16}) of account 000000000000, new$", done.stdout, re.MULTILINE)
    assert key
    again = berth(tmp_path, "migrate", **here)
    assert again.stdout == f"tables: up to date\nroot access key: {key[1]} of account 000000000000\n"
    assert berth(tmp_path, "migrate", "--check", **here).stdout == "up to date\n"
    assert key[1] in berth(tmp_path, "env", **here).stdout


def test_a_newer_database_is_left_alone(tmp_path: Path, empty_database: str) -> None:
    here = {"BERTH_DATABASE_URL": empty_database}
    berth(tmp_path, "migrate", **here)
    with psycopg.connect(empty_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for words in (["migrate"], ["migrate", "--check"]):
        done = berth(tmp_path, *words, **here)
        assert done.returncode == 1
        assert "revision 9999, which this Berth does not know: a newer one has migrated it" in done.stderr
    assert "a newer Berth" in thing(berth(tmp_path, "doctor", **here).stdout, "tables")


def test_another_master_key_is_noticed(tmp_path: Path, empty_database: str) -> None:
    here = {"BERTH_DATABASE_URL": empty_database}
    berth(tmp_path, "migrate", **here)
    other = {**here, "BERTH_MASTER_KEY": base64.b64encode(bytes(32)).decode()}
    for words in (["migrate"], ["env"]):
        done = berth(tmp_path, *words, **other)
        assert done.returncode == 1
        assert "were sealed under another master key" in done.stderr
    assert "✗" in thing(berth(tmp_path, "doctor", **other).stdout, "root key")


def test_the_doctor_finds_all_well(running_berth: BerthProcess) -> None:
    done = running_berth.run("doctor")
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout
    assert done.stdout.endswith("all is well\n")
    assert "Berth, process" in thing(done.stdout, "API port")


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    done = berth(
        tmp_path,
        "doctor",
        BERTH_DATABASE_URL=f"postgresql://berth:canary-secret@127.0.0.1:{free_port()}/berth",
        BERTH_STORE="file:///proc/berth",
        BERTH_REGOIN="eu-west-1",
        BERTH_API_LISTEN="192.0.2.1:80",
    )
    assert done.returncode == 1
    assert "is it 'BERTH_REGION'?" in thing(done.stdout, "settings")
    assert "does not exist\n  → `berth up` makes it" in thing(done.stdout, "data folder")
    assert "set BERTH_STORE" in thing(done.stdout, "store")
    assert "Connection refused" in thing(done.stdout, "database")
    assert "correct BERTH_DATABASE_URL" in thing(done.stdout, "database")
    assert "set BERTH_API_LISTEN to another" in thing(done.stdout, "API port")
    assert "start `berth up`" in thing(done.stdout, "data plane")
    assert "canary" not in done.stdout + done.stderr


def test_the_doctor_notices_what_others_may_read(tmp_path: Path, empty_database: str) -> None:
    here = {"BERTH_DATABASE_URL": empty_database}
    berth(tmp_path, "migrate", **here)
    (tmp_path / ".berth").chmod(0o777)
    (tmp_path / ".berth" / "master.key").chmod(0o644)
    done = berth(tmp_path, "doctor", **here)
    assert "→ chmod go-rw" in thing(done.stdout, "data folder")
    assert "→ chmod 600" in thing(done.stdout, "master key")


def test_the_doctor_notices_who_has_the_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = berth(tmp_path, "doctor", BERTH_REGISTRY_LISTEN=address)
    assert f"process {os.getpid()}" in thing(done.stdout, "registry port")
    assert "✗" in thing(done.stdout, "registry port")
