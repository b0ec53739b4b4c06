import pytest

from berth.errors import InvalidTagParameter, TooManyTags
from berth.repositories import resource_tags


def tag(key: str, value: str = "") -> dict[str, str]:
    return {"Key": key, "Value": value}


def test_tags_become_a_mapping() -> None:
    assert resource_tags.parse([tag("team", "größe 1"), tag("a/b:c=d+e-f@g._", "")]) == {
        "team": "größe 1",
        "a/b:c=d+e-f@g._": "",
    }
    assert resource_tags.parse([]) == {}


def test_the_longest_key_and_value_are_taken() -> None:
    assert resource_tags.parse([tag("k" * 128, "v" * 256)]) == {"k" * 128: "v" * 256}


def test_keys_that_differ_in_case_are_two() -> None:
    assert resource_tags.parse([tag("Team"), tag("team")]) == {"Team": "", "team": ""}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (tag(""), "'tags.Key' failed to satisfy constraint: 'Member must have length greater than or equal to 1'"),
        (
            tag("k" * 129),
            "'tags.Key' failed to satisfy constraint: 'Member must have length less than or equal to 128'",
        ),
        (
            tag("k", "v" * 257),
            "'tags.Value' failed to satisfy constraint: 'Member must have length less than or equal to 256'",
        ),
        (tag("k!"), "'tags.Key' failed to satisfy constraint: 'Member must satisfy regular expression pattern"),
        (tag("k", "a\nb"), "'tags.Value' failed to satisfy constraint: 'Member must satisfy"),
        (tag("k", "\ud800"), "'tags.Value' failed to satisfy constraint: 'Member must satisfy"),
        (tag("aws:x"), "must not begin with 'aws:'"),
        (tag("AWS:x"), "must not begin with 'aws:'"),
    ],
)
def test_a_tag_outside_the_grammar_is_refused(given: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidTagParameter) as refused:
        resource_tags.parse([given])
    assert reason in refused.value.message


def test_a_key_that_comes_twice_is_refused() -> None:
    with pytest.raises(InvalidTagParameter, match="'team' is given twice"):
        resource_tags.parse([tag("team", "a"), tag("team", "b")])


def test_fifty_tags_are_taken_and_one_more_refused() -> None:
    fifty = resource_tags.parse([tag(str(number)) for number in range(50)])
    assert len(fifty) == 50
    with pytest.raises(TooManyTags, match="maximum number of tags that can be applied to a repository is 50"):
        resource_tags.parse([tag(str(number)) for number in range(51)])


def test_a_new_value_replaces_the_old_one_and_needs_no_room() -> None:
    fifty = {str(number): "" for number in range(50)}
    assert resource_tags.merge(fifty, {"7": "new"})["7"] == "new"
    with pytest.raises(TooManyTags):
        resource_tags.merge(fifty, {"another": ""})
    assert fifty["7"] == ""


def test_keys_to_take_off_have_the_same_grammar() -> None:
    assert resource_tags.parse_keys(["team", "owner"]) == ["team", "owner"]
    for key in ("", "aws:x", "k" * 129):
        with pytest.raises(InvalidTagParameter):
            resource_tags.parse_keys([key])
