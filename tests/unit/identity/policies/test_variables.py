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


def test_an_older_language_knows_no_variables() -> None:
    assert not is_about(f"{BASE}${{aws:PrincipalTag/team}}/web", version="2008-10-17")
    assert is_about(f"{BASE}${{aws:username}}", f"{BASE}${{aws:username}}", version="2008-10-17")
    assert holds(
        {"StringEquals": {"aws:username": "${aws:username}"}}, {"aws:username": "${aws:username}"}, "2008-10-17"
    )


def test_a_pattern_that_cannot_be_resolved_leaves_the_others_their_meaning() -> None:
    assert is_about([f"{BASE}${{aws:PrincipalTag/none}}/*", f"{BASE}team/*"])


def test_an_exception_that_cannot_be_resolved_excepts_everything() -> None:
    """ "Any attempt to match it fails and causes the statement to be invalid"."""
    exception = f"{BASE}${{aws:PrincipalTag/none}}/*"
    denial = deny()
    statement = denial["Statement"][0]
    del statement["Resource"]
    statement["NotResource"] = exception
    assert decide(request(keys=KEYS), applying(allow(), denial)).allowed


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotEquals"])
def test_a_condition_whose_variable_cannot_be_resolved_fails(operator: str) -> None:
    assert not holds({operator: {"aws:username": ["${aws:PrincipalTag/none}", "other"]}}, KEYS)


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
