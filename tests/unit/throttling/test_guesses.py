"""Who guesses waits; who was right before, or asks from elsewhere, does not."""

import asyncio
import time

import pytest

from berth.throttling import guesses
from berth.throttling.guesses import MOST_WAITING, Guesses

BAD, GOOD = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def delay(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(guesses, "DELAY_SECONDS", 0.2)
    return 0.2


async def test_the_first_wrong_ones_are_answered_at_once_and_further_ones_late(delay: float) -> None:
    guessed = Guesses(5)
    begun = time.monotonic()
    for _ in range(5):
        await guessed.wrong(BAD)
    assert time.monotonic() - begun < delay
    await guessed.wrong(BAD)
    assert time.monotonic() - begun >= delay
    for address in (GOOD, "2001:db8::1"):
        begun = time.monotonic()
        await guessed.wrong(address)
        assert time.monotonic() - begun < delay


async def test_many_at_once_are_refused_but_for_those_who_were_right() -> None:
    guessed = Guesses(1)
    guessed.right(BAD, "AKIAGOOD")
    await guessed.wrong(BAD)
    waiting = [asyncio.create_task(guessed.wrong(BAD)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    assert guessed.wait(BAD) > 0
    assert guessed.wait(BAD, "AKIAOTHER") > 0
    assert guessed.wait(BAD, "AKIAGOOD") == 0
    assert guessed.wait(GOOD) == 0
    await asyncio.gather(*waiting)
    assert guessed.wait(BAD) == 0


async def test_all_of_a_network_of_ipv6_are_one() -> None:
    guessed = Guesses(1)
    waiting = [asyncio.create_task(guessed.wrong(f"2001:db8::{number:x}")) for number in range(1, MOST_WAITING + 2)]
    await asyncio.sleep(0)
    assert guessed.wait("2001:db8::ffff") > 0
    assert guessed.wait("2001:db8:0:1::1") == 0
    await asyncio.gather(*waiting)


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "REMEMBERED", 10)
    guessed = Guesses(5)
    for number in range(50):
        await guessed.wrong(f"10.0.0.{number}")
        guessed.right(f"10.0.0.{number}", "AKIA")
    assert len(guessed._guessers) == len(guessed._right) == 10


async def test_it_may_be_switched_off(delay: float) -> None:
    guessed = Guesses(0)
    begun = time.monotonic()
    for _ in range(100):
        await guessed.wrong(BAD)
    assert time.monotonic() - begun < delay
