"""The `berth` command explains itself, and every setting is a flag of it."""

import pytest
from click.testing import CliRunner

from berth.cli.main import main
from berth.cli.version import VERSION
from berth.settings import Settings


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words), env={"COLUMNS": "400"})
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "command",
    ["up", "env", "migrate", "doctor", "ready", "keys rotate", "account create", "account scp set", "iam explain"],
)
def test_every_setting_is_a_flag_with_its_variable_and_default(command: str) -> None:
    code, text = run(*command.split(), "--help")
    assert code == 0
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')} " in text
        assert f"BERTH_{name.upper()}" in text
    words = " ".join(text.split())
    assert "[BERTH_API_LISTEN; default: localhost:4500]" in words


def test_help_lists_the_commands() -> None:
    code, text = run("--help")
    assert code == 0
    for command in (
        "up",
        "account",
        "collect",
        "env",
        "iam",
        "images",
        "migrate",
        "doctor",
        "keys",
        "ready",
        "version",
    ):
        assert f"\n  {command} " in text


def test_a_wrong_flag_is_named() -> None:
    assert run("up", "--regoin", "x")[0] == 2
    code, text = run("up", "--region", "Mars", "--account-id", "1")
    assert code == 2
    assert "berth: --account-id: '1' is not an account id of 12 digits" in text
    assert "berth: --region: 'Mars' is not a region" in text


def test_version() -> None:
    assert run("version") == (0, f"Berth {VERSION}\n")
