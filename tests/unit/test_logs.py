"""No secret gets into a log."""

import json
import logging
import subprocess
import sys

import pytest

from berth import logs

SECRETS = [
    "postgresql://berth:canary@db/berth",
    "Authorization: Basic QVdTOmNhbmFyeWNhbmFyeQ==canary",
    "bearer canary.canary.canary",
    "GET /?X-Amz-Signature=canary&x=1",
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ecr/aws4_request, Signature=canary",
    "X-Amz-Security-Token=canary",
    "/downloads/canary_-canary==",
]


@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    line = logs.redact(None, "", {"event": text, "nested": {"list": [text], "error": ValueError(text)}})
    assert "canary" not in json.dumps(line, ensure_ascii=False)
    assert logs.HIDDEN in str(line["event"])


@pytest.mark.parametrize("name", ["password", "root_secret_access_key", "Authorization", "sessionToken", "master_key"])
def test_what_is_called_a_secret_is_hidden(name: str) -> None:
    assert logs.redact(None, "", {name: "canary", "deep": {name: "canary"}}) == {
        name: logs.HIDDEN,
        "deep": {name: logs.HIDDEN},
    }


def test_what_is_known_to_be_secret_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_known_secrets", set())
    logs.hide("canary-canary")
    logs.hide(None)
    logs.hide("a")
    assert logs.redact(None, "", {"event": "it is canary-canary, a"}) == {"event": f"it is {logs.HIDDEN}, a"}


def test_everything_else_stays() -> None:
    line = {"event": "pushed", "repository": "team/app", "bytes": 7, "ok": True, "none": None, "ms": 0.5}
    assert logs.redact(None, "", dict(line)) == line


PROGRAM = """
import logging, structlog, sys, warnings
from berth import logs
from berth.settings import load
logs.configure(load(**eval(sys.argv[1])), "test")
logs.request_id.set("the-id")
log = structlog.get_logger()
log.debug("unheard")
log.info("said", password="canary", size=1)
logging.getLogger("aiohttp").warning("a library's %s", "postgresql://u:canary@h/x")
logging.getLogger("botocore").info("unheard")
warnings.warn("a warning")
try:
    raise ValueError("Bearer canarycanary")
except ValueError:
    log.exception("failed")
"""


def run(settings: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, repr(settings)], capture_output=True, text=True, check=True, env={}, timeout=30
    )
    assert done.stdout == ""
    assert "canary" not in done.stderr
    assert "unheard" not in done.stderr
    return done.stderr


def test_elsewhere_than_on_a_terminal_lines_are_json() -> None:
    lines = [json.loads(line) for line in run({}).splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error"]
    assert {line["process"] for line in lines} == {"test"}
    assert {line["request_id"] for line in lines} == {"the-id"}
    assert lines[0]["size"] == 1
    assert lines[1]["source"] == "aiohttp"
    assert "ValueError" in lines[3]["exception"]
    assert list(lines[0])[:4] == ["timestamp", "level", "process", "event"]


def test_lines_for_people() -> None:
    text = run({"log_format": "text"})
    assert "said" in text
    assert "Traceback" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text.splitlines()[0])


def test_the_level_is_that_of_the_settings() -> None:
    assert [json.loads(line)["level"] for line in run({"log_level": "error"}).splitlines()] == ["error"]


def test_the_root_logger_is_left_as_it_was() -> None:
    assert all(type(handler).__module__ != "berth.logs" for handler in logging.getLogger().handlers)
