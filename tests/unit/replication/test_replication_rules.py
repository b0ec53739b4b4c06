from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidParameter
from berth.images.pushed import PushedImage
from berth.names import Digest, Registry, RepositoryName
from berth.replication import configuration, rules
from berth.replication.configuration import Configuration
from berth.replication.rules import Rule

SOURCE = Registry("123456789012", "us-east-1")
WEST = Registry("123456789012", "us-west-2")
OTHER = Registry("210987654321", "us-east-1")
REGISTRIES = st.builds(Registry, st.sampled_from(["123456789012", "210987654321"]), st.sampled_from(["a", "b"]))
RULES = st.builds(
    Rule,
    destinations=st.lists(REGISTRIES, max_size=4).map(tuple),
    prefixes=st.lists(st.sampled_from(["a", "ab", "b/"]), max_size=3).map(tuple),
    deletes=st.none() | st.booleans(),
)


def refused(*given_rules: Rule) -> str:
    with pytest.raises(InvalidParameter) as caught:
        rules.check(SOURCE, given_rules)
    head, _, constraint = caught.value.message.partition(" failed to satisfy constraint: ")
    assert head == "Invalid parameter at 'replicationConfiguration'"
    return constraint.removeprefix("'").removesuffix("'")


@given(RULES)
def test_a_rule_survives_being_written_as_the_api_has_it(rule: Rule) -> None:
    assert Rule.of(rule.member()) == rule


def test_a_member_that_was_not_given_is_not_given_back() -> None:
    member: dict[str, Any] = {"destinations": [{"region": "us-west-2", "registryId": "123456789012"}]}
    assert Rule.of(member).member() == member
    full = {
        **member,
        "repositoryFilters": [{"filter": "prod/", "filterType": "PREFIX_MATCH"}],
        "deleteReplication": {"enabled": False},
    }
    assert Rule.of(full).member() == full


def test_other_registries_are_destinations() -> None:
    rules.check(SOURCE, [Rule((WEST, OTHER)), Rule((WEST,), ("prod",))])
    rules.check(SOURCE, [])


def test_a_registry_does_not_replicate_to_itself() -> None:
    assert refused(Rule((WEST,)), Rule((OTHER, SOURCE))) == (
        "Replication destination cannot be the same as the source registry"
    )


def test_a_destination_is_in_a_region_of_the_same_partition() -> None:
    assert "'nowhere' is not a region" in refused(Rule((Registry(SOURCE.account, "nowhere"),)))
    assert "must be in the partition 'aws'" in refused(Rule((Registry(SOURCE.account, "cn-north-1"),)))


def test_a_rule_names_a_destination_once() -> None:
    assert refused(Rule((WEST, OTHER, WEST))) == "Replication destinations must be unique within a rule"


def test_all_rules_together_have_25_destinations_at_most() -> None:
    many = tuple(Registry(f"{number:012}", "us-east-1") for number in range(25))
    rules.check(SOURCE, [Rule(many), Rule(many[:3], ("a",)), Rule(many[3:], ("b",))])
    assert refused(Rule(many), Rule((WEST,), ("a",))) == (
        "Number of unique destinations across all rules must be less than or equal to 25"
    )


@given(st.lists(RULES, max_size=4), st.sampled_from(["a", "abc", "b", "b/c", "c"]))
def test_an_image_is_owed_to_each_destination_of_the_rules_for_its_repository_once(
    given_rules: list[Rule], name: str
) -> None:
    moment = datetime.now(UTC)
    expected = {
        one
        for rule in given_rules
        if not rule.prefixes or any(name.startswith(prefix) for prefix in rule.prefixes)
        for one in rule.destinations
    }
    found = configuration.owed(Configuration(tuple(given_rules), moment), image(name, moment))
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_an_image_that_was_there_before_the_rules_is_owed_to_nobody() -> None:
    moment = datetime.now(UTC)
    put = Configuration((Rule((WEST,)),), moment)
    assert configuration.owed(put, image("a", moment - timedelta(seconds=1))) == []
    assert configuration.owed(put, image("a", moment)) == [WEST]
    assert configuration.owed(Configuration(), image("a", moment)) == []


def image(name: str, pushed_at: datetime) -> PushedImage:
    return PushedImage(RepositoryName(name), Digest.of(b""), pushed_at)
