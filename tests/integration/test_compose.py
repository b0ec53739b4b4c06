"""docker-compose takes docker-compose.yml, given its secrets, and no secret has a default."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRETS = {"POSTGRES_PASSWORD": "a-password", "BERTH_MASTER_KEY": "a-key"}

pytestmark = pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")


def config(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "empty.env").touch()
    return subprocess.run(
        ["docker-compose", "--env-file", str(folder / "empty.env"), "-f", str(ROOT / "docker-compose.yml"), "config"],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_is_accepted(tmp_path: Path) -> None:
    done = config(tmp_path, **SECRETS)
    assert done.returncode == 0, done.stderr
    for service in ("postgres:", "migrate:", "controlplane:", "dataplane:", "worker:"):
        assert f"\n  {service}" in done.stdout
    assert "BERTH_DATABASE_URL: postgresql://berth:a-password@postgres/berth\n" in done.stdout


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_is_not_given_is_asked_for(tmp_path: Path, secret: str) -> None:
    done = config(tmp_path, **{name: value for name, value in SECRETS.items() if name != secret})
    assert done.returncode != 0
    assert "put it into .env, see the head of docker-compose.yml" in done.stderr
