import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth import wildcards


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("latest", "latest"),
        ("*", ""),
        ("prod*", "prod"),
        ("prod*", "production-team1"),
        ("*prod*", "repo-production"),
        ("a*b*c", "a-b-b-c"),
        ("a*a", "aa"),
        ("**", "x"),
        ("v1.*", "v1.2"),
    ],
)
def test_a_pattern_matches(pattern: str, text: str) -> None:
    assert wildcards.matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("latest", "Latest"), ("", "x"), ("a*a", "a"), ("ab*ba", "aba"), ("v1.*", "v1x2"), ("a*b*c", "a-c-b"), ("?", "x")],
)
def test_a_pattern_does_not_match(pattern: str, text: str) -> None:
    assert not wildcards.matches(pattern, text)


@given(st.text("ab*.", max_size=12), st.text("ab.", max_size=16))
def test_matching_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert wildcards.matches(pattern, text) is bool(re.fullmatch(expression, text, re.DOTALL))


@pytest.mark.timeout(60)  # Trying each piece at each place again would take hours.
def test_a_hostile_pattern_costs_no_more_than_a_kind_one() -> None:
    assert not wildcards.matches("*a" * 50_000 + "*b", "a" * 1_000_000)
