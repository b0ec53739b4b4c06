"""Policies that IAM takes, and in which words it refuses others."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import MalformedPolicyDocument
from berth.identity.documents import identity_document
from berth.identity.documents.policy import Condition

SYNTAX, LEGACY = "Syntax errors in policy.", "The policy failed legacy parsing"
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
UNQUALIFIED = "Resource vendor must be fully qualified and cannot contain regexes."
IN_REGION, IN_S3 = "arn:aws:iam:us-east-1::user/x", "arn:aws:s3:us-east-1::b"
ARN = "arn:aws:ecr:us-east-1:123456789012:repository/app"


def text_of(*statements: Any, **others: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **others})


def pull(**changes: Any) -> dict[str, Any]:
    """A statement that allows to pull, but for `changes`; `...` leaves a member out."""
    members = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": ARN, **changes}
    return {name: value for name, value in members.items() if value is not ...}


def words(text: str) -> str:
    with pytest.raises(MalformedPolicyDocument) as refused:
        identity_document.parse_managed(text)
    assert (refused.value.code, refused.value.status) == ("MalformedPolicyDocument", 400)
    return refused.value.message


def test_a_policy_becomes_its_statements() -> None:
    condition = {"ForAnyValue:StringLike": {"aws:TagKeys": ["a", "b"]}, "Null": {"aws:username": False}}
    text = text_of(pull(Sid="Pull", Condition=condition), pull(Action=..., NotAction=["iam:*"], Resource="*"), Id="x")
    first, second = identity_document.parse_managed(text).statements
    assert (first.sid, first.actions, first.resources, first.principals) == ("Pull", ("ecr:BatchGetImage",), (ARN,), ())
    assert first.conditions == (
        Condition("ForAnyValue", "StringLike", False, "aws:TagKeys", ("a", "b")),
        Condition(None, "Null", False, "aws:username", ("false",)),
    )
    assert (second.actions, second.not_actions, second.resources) == ((), ("iam:*",), ("*",))


@pytest.mark.parametrize(
    "changes",
    [
        {"Resource": ["*", ARN]},
        {"Resource": ..., "NotResource": "arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team}/*"},
        {"Resource": "arn:aws-cn:s3:::bucket/*"},
        {"Resource": "arn:aws:iam::123456789012:user/${aws:username}"},
        {"Resource": "arn:aws:iam::*:role/*"},
        {"Resource": "arn:*:ecr:*:*:*"},
        {"Resource": "arn:aws:something-new"},
        {"Action": ["*"]},
        {"Action": "service-prefix.x:action-name"},
        {"Sid": ""},
        {"Condition": {}},
        {"Condition": {"a": {}}},
        {"Condition": {"DateGreaterThan": {"a": []}}},
        {
            "Condition": {
                "DateLessThan": {"a": ["2019-07-01T13:20:15Z", "1561987215", "2019-07-01T13:20:15.593194+00:00"]}
            }
        },
        {"Condition": {"ForAllValues:StringEqualsIfExists": {"a": ["b", 1, True]}}},
    ],
)
def test_what_iam_takes_is_taken(changes: dict[str, Any]) -> None:
    assert len(identity_document.parse_managed(text_of(pull(**changes))).statements) == 1


def test_one_statement_needs_no_list() -> None:
    assert len(identity_document.parse(json.dumps({"Version": "2012-10-17", "Statement": pull()})).statements) == 1


def test_only_managed_policies_have_to_be_written_in_the_current_language() -> None:
    for others in ({"Version": "2008-10-17"}, {}):
        text = json.dumps({**others, "Statement": pull()})
        assert identity_document.parse(text).version == "2008-10-17"
        assert words(text) == "Policy document must be version 2012-10-17 or greater."


@pytest.mark.parametrize(
    "text",
    [
        "This is not a policy",
        "",
        "[]",
        "null",
        '{"Version": "2012-10-17"}',
        '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
        "[" * 100000,
        " " * 200000 + "{}",
        text_of(),
        text_of("pull"),
        text_of(pull(), Id=["x"]),
        text_of(pull(), Version="2013-10-17"),
        text_of(pull(), Further="x"),
    ],
)
def test_a_text_that_is_no_policy_has_syntax_errors(text: str) -> None:
    assert words(text) == SYNTAX


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": ...},
        {"Effect": "Maybe"},
        {"Further": "x"},
        {"Sid": []},
        {"Action": {}},
        {"Action": [[]]},
        {"NotAction": []},
        {"Resource": {"a": ARN}},
        {"Resource": [ARN, {}]},
        {"NotResource": "*"},
        {"Condition": []},
        {"Condition": "a"},
        {"Condition": {"a": "b"}},
        {"Condition": {"Bool": "b"}},
        {"Condition": {"Bool": {"a": {}}}},
        {"Condition": {"Bool": {"a": None}}},
        {"Condition": {"x": {"a": "1"}}},
        {"Condition": {"stringEquals": {"a": "1"}}},
        {"Condition": {"NullIfExists": {"a": "true"}}},
        {"Condition": {"ForAnyValue::StringEquals": {"a": "1"}}},
    ],
)
def test_a_statement_of_another_shape_has_syntax_errors(changes: dict[str, Any]) -> None:
    assert words(text_of(pull(**changes))) == SYNTAX


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "allow"},
        {"Effect": "DENY"},
        {"Resource": "arn:aws:s3::bucket"},
        {"Resource": "arn:aws::::bucket"},
        {"Resource": ..., "NotResource": "arn:aws::bucket"},
        {"Condition": {"DateGreaterThan": {"a": "yesterday"}}},
        {"Condition": {"ForAllValues:DateEqualsIfExists": {"a": ["2016-12-13", "2016-12-13T02:00:00+1"]}}},
        {"Condition": {"DateLessThan": {"a": "9223372036854775808"}}},
        # It comes before what is missing, and before a partition that is none.
        {"Effect": "allow", "Action": ..., "Resource": "arn:error:s3:::bucket"},
    ],
)
def test_what_fails_legacy_parsing(changes: dict[str, Any]) -> None:
    assert words(text_of(pull(**changes))) == LEGACY


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Action": ...}, "Policy statement must contain actions."),
        ({"Action": []}, "Policy statement must contain actions."),
        ({"Action": ..., "Resource": ...}, "Policy statement must contain actions."),
        ({"Resource": ...}, "Policy statement must contain resources."),
        ({"Resource": []}, "Policy statement must contain resources."),
        ({"Action": "pull"}, NO_VENDOR),
        ({"Action": ..., "NotAction": ""}, NO_VENDOR),
        ({"Action": "pull", "Resource": ...}, NO_VENDOR),
        ({"Action": "e cr:Get"}, "Vendor e cr is not valid"),
        ({"Action": "ecr:Get:Image"}, "Actions/Condition can contain only one colon."),
        ({"Resource": "app"}, 'Resource app must be in ARN format or "*".'),
        ({"Resource": ""}, 'Resource  must be in ARN format or "*".'),
        ({"Action": "e:c:r", "Resource": "app"}, 'Resource app must be in ARN format or "*".'),
        ({"Resource": "a:b"}, 'Partition "b" is not valid for resource "arn:b:*:*:*:*".'),
        ({"Resource": "a:b:c"}, 'Partition "b" is not valid for resource "arn:b:c:*:*:*".'),
        ({"Resource": "a:b:c:d:e:f:g:h"}, 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'),
        ({"Resource": "aws:s3:::bucket"}, 'Partition "s3" is not valid for resource "arn:s3:::bucket:*".'),
        ({"Resource": ["arn:error:s3:::b", "x"]}, 'Partition "error" is not valid for resource "arn:error:s3:::b".'),
        ({"Resource": "arn:aws"}, UNQUALIFIED),
        ({"Resource": "arn:aws:e*:us-east-1:1:x"}, UNQUALIFIED),
        ({"Resource": IN_REGION}, f"IAM resource {IN_REGION} cannot contain region information."),
        ({"Resource": IN_S3}, f"Resource {IN_S3} can not contain region information."),
        (
            {"Resource": "arn:aws:iam:::someone"},
            'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, '
            "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, "
            "access-report/.",
        ),
        ({"Principal": "*"}, "Policy document should not specify a principal."),
        ({"NotPrincipal": {"AWS": "123456789012"}}, "Policy document should not specify a principal."),
        (
            {"Sid": "allow pull"},
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[A-Za-z0-9]*",
        ),
    ],
)  # fmt: skip
def test_a_statement_is_refused_in_the_words_of_iam(changes: dict[str, Any], told: str) -> None:
    assert words(text_of(pull(**changes))) == told


def test_sids_are_unique() -> None:
    told = "Statement IDs (SID) in a single policy must be unique."
    assert words(text_of(pull(Sid="a"), {"Sid": "a", "Effect": "Allow"})) == told


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=4)
    | st.sampled_from(["Allow", ARN, "*", "ecr:Get"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "Bool", "AWS"]), inner, max_size=2)
    ),
    max_leaves=4,
)
MEMBERS = ("Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition", "Other")


@given(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING), ANYTHING)
def test_whatever_the_text_nothing_but_a_policy_or_a_refusal_comes_of_it(changes: dict[str, Any], other: Any) -> None:
    for text in (text_of(pull(**changes)), json.dumps(other), text_of(pull(), **changes)):
        with contextlib.suppress(MalformedPolicyDocument):
            identity_document.parse(text)
