"""When the images of which repositories are to be scanned."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidParameter
from berth.scanning.configuration import Applied, Configuration, Frequency, matches

NAMES = ("prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo")


def rule(frequency: str, *filters: str) -> dict[str, Any]:
    return {
        "scanFrequency": frequency,
        "repositoryFilters": [{"filter": pattern, "filterType": "WILDCARD"} for pattern in filters],
    }


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("prod", NAMES),
        ("*prod", ("prod", "repo-prod")),
        ("prod*", ("prod", "prod-repo", "prodrepo")),
        ("*prod*", NAMES),
        ("prod*repo", ("prod-repo", "prodrepo")),
        ("*", NAMES),
    ],
)
def test_filters_match_as_the_table_of_the_user_guide_says(pattern: str, matched: tuple[str, ...]) -> None:
    assert tuple(name for name in NAMES if matches(pattern, name)) == matched


@given(st.text("ab/", min_size=1, max_size=4), st.text("ab/", max_size=12))
def test_a_filter_without_a_wildcard_is_for_every_name_that_contains_it(pattern: str, name: str) -> None:
    assert matches(pattern, name) == (pattern in name)


@pytest.mark.parametrize(
    ("scan_type", "frequency"),
    [("BASIC", "SCAN_ON_PUSH"), ("BASIC", "MANUAL"), ("ENHANCED", "SCAN_ON_PUSH"), ("ENHANCED", "CONTINUOUS_SCAN")],
)
def test_a_configuration_is_given_back_as_it_was_put(scan_type: str, frequency: str) -> None:
    rules = [rule(frequency, "a*", "b"), rule("SCAN_ON_PUSH")]
    configuration = Configuration.of(scan_type, rules)
    assert (configuration.scan_type, configuration.rules_as_json()) == (scan_type, rules)


@pytest.mark.parametrize(("scan_type", "frequency"), [("BASIC", "CONTINUOUS_SCAN"), ("ENHANCED", "MANUAL")])
def test_a_frequency_that_the_scan_type_does_not_have_is_refused(scan_type: str, frequency: str) -> None:
    with pytest.raises(InvalidParameter, match=r"rules.2.member.scanFrequency.*SCAN_ON_PUSH") as caught:
        Configuration.of(scan_type, [rule("SCAN_ON_PUSH", "*"), rule(frequency, "*")])
    assert scan_type in caught.value.message


def test_continuous_scanning_holds_over_scanning_on_push_whatever_comes_first() -> None:
    for rules in (
        [rule("SCAN_ON_PUSH", "*"), rule("CONTINUOUS_SCAN", "pro*", "prod")],
        [rule("CONTINUOUS_SCAN", "pro*", "prod"), rule("SCAN_ON_PUSH", "*")],
    ):
        configuration = Configuration.of("ENHANCED", rules)
        assert configuration.apply("prod", scan_on_push=False) == Applied(Frequency.CONTINUOUS_SCAN, ("prod",))
        assert configuration.apply("test", scan_on_push=False) == Applied(Frequency.SCAN_ON_PUSH, ("*",))


def test_a_repository_that_no_filter_matches_is_scanned_by_hand_only() -> None:
    for scan_type in ("BASIC", "ENHANCED"):
        configuration = Configuration.of(scan_type, [rule("SCAN_ON_PUSH", "prod")])
        assert configuration.apply("test", scan_on_push=False) == Applied(Frequency.MANUAL)


def test_its_own_setting_counts_where_scanning_is_basic() -> None:
    assert Configuration().apply("test", scan_on_push=True) == Applied(Frequency.SCAN_ON_PUSH)
    assert Configuration.of("ENHANCED", []).apply("test", scan_on_push=True) == Applied(Frequency.MANUAL)
