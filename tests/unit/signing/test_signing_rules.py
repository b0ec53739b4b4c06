from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.images.pushed import PushedImage
from berth.names import Digest, RepositoryName
from berth.signing import configuration
from berth.signing.configuration import Configuration, Rule

A, B = (f"arn:aws:signer:us-east-1:123456789012:/signing-profiles/{name}" for name in ("aa", "bb"))
NOW = datetime.now(UTC)


def image(name: str, pushed_at: datetime = NOW) -> PushedImage:
    return PushedImage(RepositoryName(name), Digest.of(b""), pushed_at)


@given(st.builds(Rule, st.sampled_from([A, B]), st.lists(st.sampled_from(["*", "a/*"])).map(tuple)))
def test_a_rule_survives_being_written_as_the_api_has_it(rule: Rule) -> None:
    assert Rule.of(rule.member()) == rule


def test_a_member_that_was_not_given_is_not_given_back() -> None:
    member: dict[str, Any] = {"signingProfileArn": A}
    assert Rule.of(member).member() == member
    full = {**member, "repositoryFilters": [{"filter": "prod*", "filterType": "WILDCARD_MATCH"}]}
    assert Rule.of(full).member() == full


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("myapp/*", {"myapp/web"}),
        ("*/production", {"team/production"}),
        ("*prod*", {"team/production", "prod"}),
        ("*", {"myapp/web", "myapp", "team/production", "prod"}),
        ("prod", {"prod"}),
    ],
)
def test_a_filter_matches_the_whole_name_of_a_repository(pattern: str, names: set[str]) -> None:
    """The examples of the API reference, "SigningRepositoryFilter"."""
    every = {"myapp/web", "myapp", "team/production", "prod"}
    assert {name for name in every if Rule(A, (pattern,)).applies_to(name)} == names


def test_an_image_is_owed_a_signature_by_each_profile_once() -> None:
    put = Configuration((Rule(A, ("a*", "*")), Rule(B, ("b",)), Rule(A)), NOW)
    assert configuration.owed(put, image("a")) == [A]
    assert configuration.owed(put, image("b")) == [A, B]


def test_an_image_that_was_there_before_the_rules_is_owed_none() -> None:
    put = Configuration((Rule(A),), NOW)
    assert configuration.owed(put, image("a", NOW - timedelta(seconds=1))) == []
    assert configuration.owed(None, image("a")) == []
