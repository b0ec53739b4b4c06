import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidParameter
from berth.identity.documents import ecr_document
from berth.identity.documents.policy import EVERYBODY, Condition, NamedPrincipal, PolicyDocument, Statement

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def statement(**changes: Any) -> dict[str, Any]:
    """A statement that lets everybody pull, but for `changes`; `...` leaves a member out."""
    members = {"Effect": "Allow", "Principal": "*", "Action": PULL, **changes}
    return {name: value for name, value in members.items() if value is not ...}


def text_of(*statements: Any, **others: Any) -> str:
    return json.dumps({"Version": "2012-10-17", **others, "Statement": list(statements)})


def reason(text: str) -> str:
    """What follows ECR's own words when `text` is refused."""
    with pytest.raises(ecr_document.InvalidRepositoryPolicy) as refused:
        ecr_document.parse(text)
    head = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'. "
    assert str(refused.value) == refused.value.message
    assert refused.value.code == "InvalidParameterException"
    assert refused.value.message.startswith(head)
    return refused.value.message.removeprefix(head)


def only_statement(**changes: Any) -> Statement:
    return ecr_document.parse(text_of(statement(**changes))).statements[0]


def test_a_policy_becomes_its_statements() -> None:
    text = text_of(
        statement(
            Sid="new statement",
            Principal={"AWS": ["123456789012", "arn:aws:iam::123456789012:role/ci"], "Service": "lambda.amazonaws.com"},
            Action="ecr:*",
            Condition={"StringLike": {"aws:SourceArn": "arn:aws:lambda:*"}, "Bool": {"aws:SecureTransport": True}},
        ),
        Id="an id",
    )
    assert ecr_document.parse(text) == PolicyDocument(
        version="2012-10-17",
        id="an id",
        statements=(
            Statement(
                sid="new statement",
                effect="Allow",
                principals=(
                    NamedPrincipal("AWS", "123456789012"),
                    NamedPrincipal("AWS", "arn:aws:iam::123456789012:role/ci"),
                    NamedPrincipal("Service", "lambda.amazonaws.com"),
                ),
                not_principals=(),
                actions=("ecr:*",),
                not_actions=(),
                resources=("*",),
                not_resources=(),
                conditions=(
                    Condition(None, "StringLike", False, "aws:SourceArn", ("arn:aws:lambda:*",)),
                    Condition(None, "Bool", False, "aws:SecureTransport", ("true",)),
                ),
            ),
        ),
    )


def test_one_statement_needs_no_list_and_a_document_no_version() -> None:
    policy = ecr_document.parse(json.dumps({"Statement": statement(Action="*")}))
    assert (policy.version, policy.id) == ("2008-10-17", None)
    assert [entry.actions for entry in policy.statements] == [("*",)]


def test_everybody_has_two_spellings() -> None:
    assert only_statement().principals == only_statement(Principal={"AWS": "*"}).principals == (EVERYBODY,)


def test_what_is_not_meant_is_kept_apart() -> None:
    denied = only_statement(
        Effect="Deny", Principal=..., NotPrincipal={"AWS": "123456789012"}, Action=..., NotAction="ecr:Get*"
    )
    assert (denied.principals, denied.not_principals) == ((), (NamedPrincipal("AWS", "123456789012"),))
    assert (denied.actions, denied.not_actions) == ((), ("ecr:Get*",))


def test_sids_may_have_blanks_and_repeat_as_they_may_in_ecr() -> None:
    policy = ecr_document.parse(text_of(statement(Sid="allow public pull"), statement(Sid="allow public pull")))
    assert [entry.sid for entry in policy.statements] == ["allow public pull"] * 2


@pytest.mark.parametrize("resource", ["*", ["*"]])
def test_the_resource_of_ecrs_own_examples_is_taken(resource: Any) -> None:
    assert only_statement(Resource=resource).resources == ("*",)


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ("StringEquals", (None, "StringEquals", False)),
        ("StringNotEqualsIgnoreCaseIfExists", (None, "StringNotEqualsIgnoreCase", True)),
        ("ForAnyValue:StringLike", ("ForAnyValue", "StringLike", False)),
        ("ForAllValues:ArnNotLikeIfExists", ("ForAllValues", "ArnNotLike", True)),
        ("NumericLessThanEquals", (None, "NumericLessThanEquals", False)),
        ("DateGreaterThan", (None, "DateGreaterThan", False)),
        ("NotIpAddress", (None, "NotIpAddress", False)),
        ("BinaryEquals", (None, "BinaryEquals", False)),
        ("Null", (None, "Null", False)),
    ],
)
def test_a_condition_operator_is_taken_apart(written: str, condition: tuple[str | None, str, bool]) -> None:
    found = only_statement(Condition={written: {"aws:x": ["a", 1, 1.5, False]}}).conditions
    assert found == (Condition(*condition, "aws:x", ("a", "1", "1.5", "false")),)


@pytest.mark.parametrize(
    "written",
    [
        "NullIfExists",
        "StringMatches",
        "stringequals",
        "ForSomeValue:StringLike",
        "BoolNot",
        "",
        "NotBool",
        "IpAddress\n",
    ],
)
def test_another_condition_operator_is_refused(written: str) -> None:
    words = reason(text_of(statement(Condition={written: {"aws:x": "a"}})))
    assert words == f"Statement 1 has '{written}', which is no condition operator."


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "arn:aws:iam::123456789012:root"},
        {"AWS": "arn:aws-cn:iam::123456789012:user/path/some.one@x"},
        {"AWS": "arn:aws:sts::123456789012:assumed-role/ci/session"},
        {"AWS": "arn:aws:sts::123456789012:federated-user/bob"},
        {"Service": ["codebuild.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn"]},
        {"Federated": ["accounts.google.com", "arn:aws:iam::123456789012:oidc-provider/token.example.com"]},
        {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
    ],
)
def test_a_principal_of_the_grammar_is_taken(principal: dict[str, Any]) -> None:
    assert {named.kind for named in only_statement(Principal=principal).principals} == principal.keys()


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "arn:aws:iam::123456789012:*"},
        {"AWS": "arn:aws:iam::123456789012:user/*"},
        {"AWS": "arn:aws:iam::123:user/a"},
        {"AWS": "arn:aws:s3:::bucket"},
        {"AWS": "12345678901"},
        {"AWS": "123456789012\n"},
        {"AWS": ""},
        {"AWS": "somebody"},
        {"AWS": "arn:aws:iam::１２３４５６７８９０１２:root"},
        {"Service": "example.com"},
        {"Service": "*"},
        {"Federated": "x y"},
        {"CanonicalUser": "abc"},
    ],
)
def test_another_principal_is_refused(principal: dict[str, str]) -> None:
    ((kind, name),) = principal.items()
    words = reason(text_of(statement(), statement(Principal=principal)))
    assert words == f"Statement 2 names the {kind} principal '{name}', which cannot be one."


@pytest.mark.parametrize("action", ["*", "ecr:*", "ecr:Batch*", "ECR:putimage", "ecr:Get?mage"])
def test_an_action_of_the_grammar_is_taken(action: str) -> None:
    assert only_statement(Action=action).actions == (action,)


@pytest.mark.parametrize(
    "action", ["", "s3:GetObject", "PutImage", "ecr:", "ecr:Put Image", "ecr-public:*", "ecr:GetAuthorizationToken"]
)
def test_an_action_on_something_else_is_refused(action: str) -> None:
    words = reason(text_of(statement(Action=["ecr:PutImage", action])))
    assert words == f"Statement 1 names '{action}', which is no action of ECR on a repository."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The text is no JSON: "),
        ("{", "The text is no JSON: "),
        ('{"Statement":[],"Statement":[]}', "The text is no JSON: an object has the same key twice."),
        ("[" * 5_000, "The text is no JSON: it nests too deeply."),
        ("[]", 'At /: instance type (array) does not match any allowed primitive type (allowed: ["object"]).'),
        ("{}", 'At /: object has missing required properties (["Statement"]).'),
        (text_of(), "At /Statement: array is too short"),
        (text_of(statement(), Version="2020-01-01"), "At /Version: instance value (2020-01-01) not found in enum"),
        (text_of(statement(), Other=1), "At /: object instance has properties which are not allowed"),
        (text_of(1), "At /Statement/0: instance type (integer)"),
        (text_of(statement(), statement(Effect=...)), "At /Statement/1: object has missing required"),
        (text_of(statement(Effect="allow")), "At /Statement/0/Effect: instance value (allow)"),
        (text_of(statement(Other=1)), "At /Statement/0: object instance has properties"),
        (text_of(statement(NotResource="*")), "At /Statement/0: object instance has properties"),
        (text_of(statement(Resource="arn:aws:ecr:us-east-1:123456789012:repository/a")), "At /Statement/0/Resource: "),
        (text_of(statement(Sid=1)), "At /Statement/0/Sid: instance type (integer)"),
        (text_of(statement(Principal=...)), "Statement 1 must have exactly one of Principal and NotPrincipal."),
        (text_of(statement(NotPrincipal="*")), "Statement 1 must have exactly one of Principal and NotPrincipal."),
        (
            text_of(statement(Principal=..., NotPrincipal="*")),
            "Statement 1 has NotPrincipal with the Effect Allow, which IAM does not support.",
        ),
        (text_of(statement(Action=...)), "Statement 1 must have exactly one of Action and NotAction."),
        (text_of(statement(NotAction="*")), "Statement 1 must have exactly one of Action and NotAction."),
        (text_of(statement(Action=[])), "At /Statement/0/Action: array is too short"),
        (text_of(statement(Principal="somebody")), "At /Statement/0/Principal: instance value (somebody)"),
        (text_of(statement(Principal={})), "At /Statement/0/Principal: object has too few properties"),
        (text_of(statement(Principal={"Group": "a"})), "At /Statement/0/Principal: object instance has properties"),
        (text_of(statement(Principal={"AWS": []})), "At /Statement/0/Principal/AWS: array is too short"),
        (text_of(statement(Condition=[])), "At /Statement/0/Condition: instance type (array)"),
        (text_of(statement(Condition={"Bool": {"a/b": None}})), "At /Statement/0/Condition/Bool/a~1b: instance type"),
    ],
)
def test_a_document_of_another_shape_is_refused(text: str, words: str) -> None:
    assert reason(text).startswith(words)


def test_a_text_longer_than_ecr_takes_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"at 'policyText' .* less than or equal to 10240"):
        ecr_document.parse(text_of(statement()).ljust(10_241))
    ecr_document.parse(text_of(statement()).ljust(10_240))


def test_the_text_that_comes_back_is_ecrs() -> None:
    """From the ECR API reference, "GetRepositoryPolicy": the sample response, as ECR prints what it was given."""
    text = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"AllowPull","Effect":"Allow","Principal":"*",'
        '"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}'
    )
    expected = (
        '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Sid" : "AllowPull",\n    "Effect" : "Allow",\n'
        '    "Principal" : "*",\n    "Action" : [ "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" ]\n  } ]\n}'
    )
    assert ecr_document.normalize(text) == expected
    assert ecr_document.normalize(expected) == expected
    assert ecr_document.parse(expected) == ecr_document.parse(text)


def test_no_text_comes_back_for_what_is_no_policy() -> None:
    with pytest.raises(ecr_document.InvalidRepositoryPolicy):
        ecr_document.normalize("{}")


MEMBERS = st.sampled_from(
    [
        "Version",
        "Statement",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "Condition",
        "AWS",
        "Bool",
        "Allow",
        "*",
        "ecr:*",
        "2012-10-17",
        "123456789012",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | MEMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=3),
    max_leaves=10,
)


@given(st.text())
def test_any_text_is_a_policy_or_invalid(text: str) -> None:
    with contextlib.suppress(ecr_document.InvalidRepositoryPolicy):
        ecr_document.parse(text)


@given(JSON, st.fixed_dictionaries({}, optional=dict.fromkeys([*statement(), "Condition", "Sid"], JSON)))
def test_any_json_is_a_policy_or_invalid(value: Any, entry: dict[str, Any]) -> None:
    for text in (json.dumps(value), text_of(entry), text_of(statement(**entry))):
        try:
            policy = ecr_document.parse(text)
        except InvalidParameter:
            continue
        assert ecr_document.parse(ecr_document.normalize(text)) == policy


@pytest.mark.timeout(60)  # An expression that goes back over what it has read would take hours.
def test_a_hostile_text_costs_little_and_is_answered_briefly() -> None:
    for text in (
        text_of(*[{}] * 2_500),
        text_of(statement(Action=[1] * 3_000)),
        text_of(statement(Principal={"AWS": "arn:aws:iam::123456789012:user/" + "a/" * 4_900 + "*"})),
        text_of(statement(Principal={"Service": "a." * 4_900})),
        text_of(statement(Action="ecr:" + "*" * 9_900 + "!")),
    ):
        assert len(reason(text)) < 1_000
