"""Lengths of time in settings."""

from datetime import timedelta

import pytest

from berth.settings import load
from berth.settings.durations import Duration, parse_duration


@pytest.mark.parametrize(
    ("text", "length", "shown"),
    [
        ("24h", timedelta(days=1), "1d"),
        ("90m", timedelta(minutes=90), "90m"),
        ("36h", timedelta(hours=36), "36h"),
        ("7d", timedelta(days=7), "7d"),
        (" 30s ", timedelta(seconds=30), "30s"),
        ("0", timedelta(), "0"),
        ("0h", timedelta(), "0"),
    ],
)
def test_a_length_of_time_is_read_and_shown(text: str, length: timedelta, shown: str) -> None:
    duration = parse_duration(text)
    assert duration == length
    assert str(duration) == shown
    assert parse_duration(shown) == duration


@pytest.mark.parametrize("text", ["", "24", "h", "1w", "1.5h", "-1h", "1h30m", "9999999s", "3654d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_other_processes_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(recovery_window="90m", layer_expiry="0")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load().recovery_window == Duration(minutes=90)
    assert load().layer_expiry == Duration()
