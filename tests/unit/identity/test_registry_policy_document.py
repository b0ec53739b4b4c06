import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidParameter
from berth.identity.documents import registry_document
from berth.identity.documents.policy import Statement
from berth.identity.documents.registry_document import InvalidRegistryPolicy, Scope

REPOSITORIES = "arn:aws:ecr:us-west-2:123456789012:repository/*"


def statement(**changes: Any) -> dict[str, Any]:
    """The statement of ECR's own examples, but for `changes`; `...` leaves a member out."""
    members = {
        "Sid": "ReplicationAccessCrossAccount",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": [REPOSITORIES],
        **changes,
    }
    return {name: value for name, value in members.items() if value is not ...}


def text_of(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def only_statement(scope: Scope = Scope.V2, **changes: Any) -> Statement:
    return registry_document.parse(text_of(statement(**changes)), scope).statements[0]


def reason(text: str, scope: Scope = Scope.V2) -> str:
    """What follows ECR's own words when `text` is refused."""
    with pytest.raises(InvalidRegistryPolicy) as refused:
        registry_document.parse(text, scope)
    head = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'. "
    assert refused.value.code == "InvalidParameterException"
    assert refused.value.message.startswith(head)
    return refused.value.message.removeprefix(head)


@pytest.mark.parametrize("scope", Scope)
def test_a_policy_becomes_statements_about_the_resources_they_name(scope: Scope) -> None:
    found = only_statement(scope)
    assert found.actions == ("ecr:CreateRepository", "ecr:ReplicateImage")
    assert (found.resources, found.not_resources) == ((REPOSITORIES,), ())


def test_a_statement_may_be_about_all_but_some_resources() -> None:
    found = only_statement(Resource=..., NotResource=REPOSITORIES)
    assert (found.resources, found.not_resources) == ((), (REPOSITORIES,))


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "arn:aws:ecr:us-west-2:123456789012:repository/prod-*",
        "arn:aws-cn:ecr:cn-north-1:123456789012:repository/team/app",
        "arn:aws:ecr-public::123456789012:repository/dockerhub/*",
        "arn:*:ecr:*:*:repository/${aws:PrincipalTag/team}/*",
    ],
)
def test_an_arn_of_ecr_is_a_resource(resource: str) -> None:
    assert only_statement(Resource=resource).resources == (resource,)


@pytest.mark.parametrize(
    "resource", ["", "repository/*", "arn:aws:s3:::bucket", "arn:aws:ecr:us-west-2:123456789012", "arn:aws:ecr:a:b:c d"]
)
def test_another_resource_is_refused(resource: str) -> None:
    words = reason(text_of(statement(Resource=[REPOSITORIES, resource])))
    assert words == f"Statement 1 names the resource '{resource}', which is no ARN of ECR."


@pytest.mark.parametrize("changes", [{"Resource": ...}, {"NotResource": "*"}])
def test_a_statement_says_once_what_it_is_about(changes: dict[str, Any]) -> None:
    assert reason(text_of(statement(**changes))) == ("Statement 1 must have exactly one of Resource and NotResource.")


@pytest.mark.parametrize("action", ["ecr:PutImage", "ecr:GetAuthorizationToken", "ecr:Get*", "ECR:describeimages"])
def test_only_the_scope_v2_has_all_actions(action: str) -> None:
    assert only_statement(Action=action).actions == (action,)
    words = reason(text_of(statement(Action=action)), Scope.V1)
    assert words == f"Statement 1 names '{action}', which is no action of ECR on a registry under the policy scope V1."


@pytest.mark.parametrize(
    "action", ["*", "ecr:*", "ecr:ReplicateImage", "ECR:createrepository", "ecr:BatchImportUpstreamImage", "ecr:Rep*"]
)
@pytest.mark.parametrize("scope", Scope)
def test_both_scopes_have_the_actions_of_replication_and_pull_through(action: str, scope: Scope) -> None:
    assert only_statement(scope, Action=action).actions == (action,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The text is no JSON: "),
        ("{}", 'At /: object has missing required properties (["Statement"]).'),
        (text_of(), "At /Statement: array is too short"),
        (text_of(statement(Resource=1)), "At /Statement/0/Resource: instance type (integer)"),
        (text_of(statement(Resource=[])), "At /Statement/0/Resource: array is too short"),
        (text_of(statement(Action="s3:GetObject")), "Statement 1 names 's3:GetObject', which is no action of ECR on"),
        (text_of(statement(Principal=...)), "Statement 1 must have exactly one of Principal and NotPrincipal."),
        (text_of(statement(), statement(Effect="allow")), "At /Statement/1/Effect: instance value (allow)"),
    ],
)
@pytest.mark.parametrize("scope", Scope)
def test_a_document_of_another_shape_is_refused(text: str, words: str, scope: Scope) -> None:
    assert reason(text, scope).startswith(words)


def test_the_text_that_comes_back_is_pretty_printed_like_that_of_a_repository_policy() -> None:
    assert registry_document.normalize(text_of(statement(Sid=..., Principal="*", Action="ecr:*"))) == (
        '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Effect" : "Allow",\n    "Principal" : "*",\n'
        f'    "Action" : "ecr:*",\n    "Resource" : [ "{REPOSITORIES}" ]\n  }} ]\n}}'
    )


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            [*statement(), "NotResource", "NotAction"],
            st.sampled_from(["*", "ecr:*", "Allow", REPOSITORIES, {"AWS": "*"}])
            | st.lists(st.sampled_from(["*", "ecr:putimage", "", REPOSITORIES, "x"]), max_size=2),
        ),
    ),
    st.sampled_from(Scope),
)
def test_any_statement_is_one_or_is_refused(entry: dict[str, Any], scope: Scope) -> None:
    for text in (text_of(entry), text_of(statement(**entry))):
        try:
            policy = registry_document.parse(text, scope)
        except InvalidParameter:
            continue
        assert registry_document.parse(registry_document.normalize(text), scope) == policy


@pytest.mark.timeout(60)  # An expression that goes back over what it has read would take hours.
def test_a_hostile_text_costs_little_and_is_answered_briefly() -> None:
    for text in (
        text_of(statement(Action="ecr:" + "a*" * 4_800)),
        text_of(statement(Action="ecr:" + "*?" * 4_800)),
        text_of(statement(Resource="arn:aws:ecr:" + "*-" * 4_800)),
    ):
        assert len(reason(text, Scope.V1)) < 1_000
