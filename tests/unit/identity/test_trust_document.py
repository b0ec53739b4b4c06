"""Trust policies that IAM takes, and in which words it refuses others."""

import json
from typing import Any

import pytest

from berth.errors import MalformedPolicyDocument
from berth.identity.documents import trust_document
from berth.identity.documents.policy import NamedPrincipal

ROLE = "arn:aws:iam::123456789012:role/ci"
SYNTAX = "Syntax errors in policy."


def text_of(**changes: Any) -> str:
    """A policy that trusts an account, but for `changes`; `...` leaves a member out."""
    members = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole", **changes}
    statement = {name: value for name, value in members.items() if value is not ...}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"AWS": "*"}},
        {
            "Principal": {
                "AWS": [ROLE, "arn:aws:sts::123456789012:assumed-role/ci/job"],
                "Service": "ecs-tasks.amazonaws.com",
            }
        },
        {"Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]},
        {"Action": "STS:assumerole*"},
        {"Action": "sts:*"},
        {"Condition": {"StringEquals": {"sts:ExternalId": "42"}}},
        {"Effect": "Deny", "Principal": ..., "NotPrincipal": {"AWS": ROLE}},
        {
            "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:octo/app:*"}},
        },
    ],
)
def test_what_iam_takes_is_taken(changes: dict[str, Any]) -> None:
    assert len(trust_document.parse(text_of(**changes)).statements) == 1


def test_a_policy_becomes_its_statements() -> None:
    (statement,) = trust_document.parse(text_of()).statements
    assert statement.principals == (NamedPrincipal("AWS", "123456789012"),)
    assert (statement.actions, statement.resources) == (("sts:AssumeRole",), ("*",))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Resource": "*"}, "Has prohibited field Resource"),
        ({"NotResource": ROLE}, "Has prohibited field NotResource"),
        ({"Principal": ...}, "Missing required field Principal"),
        ({"Principal": "*"}, 'AssumeRolepolicy contained an invalid principal: "STAR".'),
        ({"Principal": {"AWS": "nobody"}}, 'Invalid principal in policy: "AWS":"nobody"'),
        ({"Principal": {"AWS": f"{ROLE[:-2]}*"}}, f'Invalid principal in policy: "AWS":"{ROLE[:-2]}*"'),
        ({"Principal": {"Service": "Ecs"}}, 'Invalid principal in policy: "Service":"Ecs"'),
        ({"Action": ...}, "Policy statement must contain actions."),
        ({"Action": "ecr:GetImage"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Action": "*"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Action": "sts:GetCallerIdentity"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Principal": ..., "NotPrincipal": {"AWS": ROLE}}, SYNTAX),
        ({"Principal": {"Nobody": "x"}}, SYNTAX),
        ({"Principal": {}}, SYNTAX),
        ({"Principal": {"AWS": []}}, SYNTAX),
        ({"NotPrincipal": {"AWS": ROLE}}, SYNTAX),
        ({"Condition": {"Bool": "x"}}, SYNTAX),
        ({"Effect": "allow"}, "The policy failed legacy parsing"),
        (
            {"Sid": "a b"},
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[A-Za-z0-9]*",
        ),
    ],
)
def test_a_policy_is_refused_in_the_words_of_iam(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MalformedPolicyDocument) as refused:
        trust_document.parse(text_of(**changes))
    assert refused.value.message == told
