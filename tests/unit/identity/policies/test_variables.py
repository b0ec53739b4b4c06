"""IAM user guide, "IAM policy elements: Variables and tags"."""

from typing import Any

import pytest

from berth.identity.policies.decide import decide
from tests.unit.identity.policies.asking import REPOSITORY, allow, applying, deny, holds, request

KEYS = {"aws:username": "web", "aws:PrincipalTag/team": "team", "aws:TagKeys": ["web"], "aws:PrincipalTag/odd": "*"}
BASE = REPOSITORY.removesuffix("team/web")


def is_about(resource: Any, which: str = REPOSITORY, version: str = "2012-10-17") -> bool:
    policy = allow(resource=resource) | {"Version": version}
    return decide(request(resource=which, keys=KEYS), applying(policy)).allowed


@pytest.mark.parametrize(
    "resource",
    [
        "${aws:PrincipalTag/team}/web",
        "${AWS:principaltag/TEAM}/${aws:username}",
        "${ aws:PrincipalTag/team }/*",
        "${aws:PrincipalTag/none, 'team'}/web",
        "${aws:PrincipalTag/team , 'other'}/we?",
        "*/${aws:username}",
    ],
)
def test_a_variable_is_filled_from_the_request(resource: str) -> None:
    assert is_about(BASE + resource)


@pytest.mark.parametrize(
    "resource",
    [
        "${aws:PrincipalTag/none}/web",
        "${aws:PrincipalTag/none, 'other'}/web",
        "${aws:PrincipalTag/none, other}/web",
        # A key with several values is no variable, and what fills a place is no wildcard.
        "team/${aws:TagKeys}",
        "${aws:PrincipalTag/odd}/web",
        "team/${*}",
        "team/we${?}",
        "${}/web",
        "${aws:PrincipalTag/team/web",
    ],
)
def test_a_place_that_is_not_filled_or_filled_otherwise_is_no_match(resource: str) -> None:
    assert not is_about(BASE + resource)


def test_an_escaped_character_stands_for_itself() -> None:
    assert is_about(f"{BASE}a${{*}}b${{?}}${{$}}*", f"{BASE}a*b?$c")


def test_a_variable_stands_behind_the_fifth_colon_only() -> None:
    assert not is_about(REPOSITORY.replace("ecr", "${aws:PrincipalTag/none, 'ecr'}"))


@pytest.mark.parametrize("resource", ["arn:aws:ecr", "arn:aws:ecr:us-east-1", "arn:aws:ecr:*", "arn:*"])
def test_what_an_arn_lacks_at_its_end_is_any(resource: str) -> None:
    """IAM user guide, "IAM identifiers": `arn:aws:sqs` is equivalent to `arn:aws:sqs:*:*:*`."""
    assert is_about(resource)
    assert not is_about("arn:aws:s3")


def test_an_older_language_knows_no_variables() -> None:
    assert not is_about(f"{BASE}${{aws:PrincipalTag/team}}/web", version="2008-10-17")
    assert is_about(f"{BASE}${{aws:username}}", f"{BASE}${{aws:username}}", version="2008-10-17")
    assert holds(
        {"StringEquals": {"aws:username": "${aws:username}"}}, {"aws:username": "${aws:username}"}, "2008-10-17"
    )


def test_a_pattern_that_cannot_be_resolved_leaves_the_others_their_meaning() -> None:
    assert is_about([f"{BASE}${{aws:PrincipalTag/none}}/*", f"{BASE}team/*"])


def test_an_exception_that_cannot_be_resolved_excepts_all_of_its_account_and_region() -> None:
    """ "Any attempt to match it fails and causes the statement to be invalid"."""
    exception = f"{BASE}${{aws:PrincipalTag/none}}/*"
    denial = deny()
    statement = denial["Statement"][0]
    del statement["Resource"]
    statement["NotResource"] = exception
    assert decide(request(keys=KEYS), applying(allow(), denial)).allowed


@pytest.mark.parametrize("resource", ["*", REPOSITORY.replace("us-east-1", "eu-west-1")])
def test_but_not_what_no_value_would_make_it_match(resource: str) -> None:
    denial = deny(NotResource=f"{BASE}${{aws:PrincipalTag/none}}/*")
    del denial["Statement"][0]["Resource"]
    assert not decide(request(resource=resource, keys=KEYS), applying(allow(), denial)).allowed


@pytest.mark.parametrize(
    ("positive", "negated"),
    [
        ("StringEquals", "StringNotEquals"),
        ("StringLike", "StringNotLike"),
        ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ],
)
def test_a_variable_without_a_value_is_like_nothing(positive: str, negated: str) -> None:
    """ "There is no equal or like value … Inverted condition operators … do match against a null value"."""
    unresolved = "${aws:PrincipalTag/none}"
    assert not holds({positive: {"aws:username": unresolved}}, KEYS)
    assert holds({negated: {"aws:username": unresolved}}, KEYS)
    assert holds({positive: {"aws:username": [unresolved, "web"]}}, KEYS)
    assert not holds({negated: {"aws:username": [unresolved, "web"]}}, KEYS)


def test_who_lacks_the_tag_that_has_to_be_the_resources_is_denied() -> None:
    """The example of "Policy variables with no value"."""
    condition = {"StringNotEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/none}"}}
    which = applying(allow(), deny(Condition=condition))
    assert not decide(request(keys=KEYS | {"aws:ResourceTag/team": "web"}), which).allowed


def test_an_arn_with_a_variable_without_a_value_is_like_none() -> None:
    keys = {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/web"}
    unresolved = "arn:aws:iam::*:user/${aws:PrincipalTag/none}"
    assert not holds({"ArnLike": {"aws:PrincipalArn": unresolved}}, keys)
    assert holds({"ArnLike": {"aws:PrincipalArn": [unresolved, "arn:aws:iam::*:user/web"]}}, keys)
    assert holds({"ArnNotLike": {"aws:PrincipalArn": unresolved}}, keys)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:username": "${aws:PrincipalTag/none, 'web'}"}}, True),
        ({"StringEquals": {"aws:username": "w${*}"}}, False),
        ({"StringLike": {"aws:username": "${aws:username}"}}, True),
        ({"StringLike": {"aws:username": "w${*}"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:username": "${aws:PrincipalTag/none, 'WEB'}"}}, True),
        ({"StringNotLike": {"aws:username": "${aws:username}*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/${aws:username}"}}, True),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/${aws:PrincipalTag/none, 'a:b'}"}}, True),
        ({"NumericEquals": {"aws:MultiFactorAuthAge": "${aws:MultiFactorAuthAge}"}}, False),
    ],
)
def test_conditions_take_variables_where_aws_says_so(condition: Any, expected: bool) -> None:
    keys = KEYS | {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/web", "aws:MultiFactorAuthAge": "5"}
    assert holds(condition, keys) is expected
