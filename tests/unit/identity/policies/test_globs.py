import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.identity.policies.globs import glob


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ecr:PutImage", "ecr:PutImage"),
        ("", ""),
        ("*", ""),
        ("*", "anything: at all"),
        ("ecr:Get*", "ecr:GetDownloadUrlForLayer"),
        ("*Image", "ecr:PutImage"),
        ("ecr:*Image*", "ecr:BatchGetImage"),
        ("repository/prod/ap?", "repository/prod/api"),
        ("??", "ab"),
        ("a?*?c", "abbc"),
        ("a*b?d*e", "a-bcd-bxd-e"),
        ("*a?a*", "bababa"),
        ("arn:aws:ecr:*:repository/app", "arn:aws:ecr:us-east-1:111122223333:repository/app"),
        ("a*b", "a\nb"),
    ],
)
def test_a_pattern_matches(pattern: str, text: str) -> None:
    assert glob(pattern)(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ecr:PutImage", "ecr:putimage"),
        ("", "x"),
        ("?", ""),
        ("?", "ab"),
        ("ap?", "ap"),
        ("a*a", "a"),
        ("ab*ba", "aba"),
        ("a*b?d*e", "a-bd-e"),
        ("a*?c", "ac"),
        ("[a-z]", "a"),
        ("repository/team/*", "repository/team"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, text: str) -> None:
    assert not glob(pattern)(text)


@given(st.text("ab*?", max_size=12), st.text("ab?*", max_size=16))
def test_matching_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(character, re.escape(character)) for character in pattern)
    assert glob(pattern)(text) is bool(re.fullmatch(expression, text, re.DOTALL))


@pytest.mark.parametrize("piece", ["a*", "a?*", "aaaa?a*", "?*"])
def test_a_pattern_made_to_be_slow_is_not(piece: str) -> None:
    """Backtracking would never come to an end here."""
    assert not glob(piece * (6000 // len(piece)) + "b")("a" * 2000)
