"""docker-compose takes docker-compose.yml, given its secrets, and every setting; no secret has a default."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from berth.settings import Settings

ROOT = Path(__file__).parents[2]
SECRETS = {"POSTGRES_PASSWORD": "a-password", "BERTH_MASTER_KEY": "a-key"}
# Where things are within a container, and what only `berth up` looks at.
OURS = {"data", "api_listen", "registry_listen", "registry_processes"}

with_compose = pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")


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


@with_compose
def test_it_is_accepted(tmp_path: Path) -> None:
    done = config(tmp_path, **SECRETS)
    assert done.returncode == 0, done.stderr
    for service in ("postgres:", "migrate:", "controlplane:", "dataplane:", "worker:"):
        assert f"\n  {service}" in done.stdout
    assert "BERTH_DATABASE_URL: postgresql://berth:a-password@postgres/berth\n" in done.stdout


@with_compose
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_is_not_given_is_asked_for(tmp_path: Path, secret: str) -> None:
    done = config(tmp_path, **{name: value for name, value in SECRETS.items() if name != secret})
    assert done.returncode != 0
    assert "put it into .env, see the head of docker-compose.yml" in done.stderr


def test_every_setting_can_be_given() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    given = {name for name in services["x-berth"]["environment"] if name.startswith("BERTH_")}
    assert given == {f"BERTH_{name.upper()}" for name in Settings.model_fields.keys() - OURS}
