"""One-time codes: those of RFC 6238, each good near its time, once, and two in a row wherever a clock is."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st

from berth.identity.mfa import one_time_codes
from berth.identity.mfa.one_time_codes import MOST_DRIFT, SEED_BYTES, STEP_SECONDS, TOLERANCE

SEEDS = st.binary(min_size=SEED_BYTES, max_size=SEED_BYTES)
STEPS = st.integers(10**7, 10**8)


def code(seed: bytes, step: int) -> str:
    return TOTP(seed, 6, SHA1(), STEP_SECONDS).generate(step * STEP_SECONDS).decode()


def is_plain(seed: bytes, now: int) -> bool:
    """Whether no two codes near are the same, which they are once in some thousand seeds."""
    near = [code(seed, step) for step in range(now - 2 * MOST_DRIFT, now + 2 * MOST_DRIFT)]
    return len(set(near)) == len(near)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_codes_are_those_of_rfc_6238(moment: int, shown: str) -> None:
    """Appendix B, the last six of its eight digits."""
    step = one_time_codes.step_at(datetime.fromtimestamp(moment, UTC))
    assert one_time_codes.step_of(b"12345678901234567890", shown, step, 0) == step


def test_every_seed_is_another() -> None:
    seeds = {one_time_codes.new_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert {len(seed) for seed in seeds} == {SEED_BYTES}


@given(SEEDS, STEPS, st.integers(-5, 5), st.integers(-5, 5))
def test_a_code_is_good_near_its_time_and_beyond_the_latest(seed: bytes, now: int, at: int, latest: int) -> None:
    if is_plain(seed, now):
        found = one_time_codes.step_of(seed, code(seed, now + at), now, now + latest)
        assert found == (now + at if abs(at) <= TOLERANCE and at > latest else None)


@given(SEEDS, STEPS, st.integers(-MOST_DRIFT - 3, MOST_DRIFT + 3), st.integers(-5, 5))
def test_two_codes_in_a_row_are_found_as_far_as_clocks_may_differ(seed: bytes, now: int, at: int, latest: int) -> None:
    if is_plain(seed, now):
        codes = code(seed, now + at - 1), code(seed, now + at)
        found = one_time_codes.latter_step_of(seed, codes, now, now + latest)
        assert found == (now + at if abs(at) <= MOST_DRIFT and at - 1 > latest else None)
        assert one_time_codes.latter_step_of(seed, codes[::-1], now, 0) is None
        assert one_time_codes.latter_step_of(seed, (codes[0], codes[0]), now, 0) is None


@given(STEPS, st.integers(-MOST_DRIFT, MOST_DRIFT))
def test_only_a_clock_that_is_off_has_drifted(now: int, at: int) -> None:
    drift = one_time_codes.drift_of(now + at, now)
    assert drift == (0 if abs(at) <= 2 else at)


@pytest.mark.parametrize("text", ["", "28708", "2870820", "٢٨٧٠٨٢", "abcdef"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert one_time_codes.step_of(b"12345678901234567890", text, 1, -5) is None
