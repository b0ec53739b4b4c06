"""IAM user guide, "Identity-provider controls for shared OIDC providers"."""

import json
from typing import Any

import pytest

from berth.errors import MalformedPolicyDocument
from berth.identity.documents import trust_document

GITHUB = "token.actions.githubusercontent.com"


def trusting(issuer: str, *, action: str = "sts:AssumeRoleWithWebIdentity", **more: Any) -> str:
    provider = {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{issuer}"}
    statement = {"Effect": "Allow", "Principal": provider, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}},
        {"StringLike": {f"{GITHUB}:sub": "*"}},
        {"StringLike": {f"{GITHUB}:sub": ["repo:octo/app:*", "**"]}},
        {"StringNotLike": {f"{GITHUB}:sub": "repo:evil/*"}},
        {"StringLikeIfExists": {f"{GITHUB}:sub": "repo:octo/*"}},
        {"ForAllValues:StringLike": {f"{GITHUB}:sub": "repo:octo/*"}},
        {"Null": {f"{GITHUB}:sub": "false"}},
        {"StringLike": {"gitlab.com:sub": "project_path:octo/*"}},
    ],
)
def test_a_role_does_not_trust_everybody_of_a_provider_that_many_share(condition: dict[str, Any]) -> None:
    for action in ("sts:AssumeRoleWithWebIdentity", "sts:*"):
        with pytest.raises(MalformedPolicyDocument, match=f"must evaluate {GITHUB}:sub"):
            trust_document.parse(trusting(GITHUB, action=action, Condition=condition))


@pytest.mark.parametrize(
    ("issuer", "condition"),
    [
        (GITHUB, {"StringLike": {f"{GITHUB}:sub": "repo:octo/app:*"}}),
        (GITHUB, {"StringEquals": {f"{GITHUB.upper()}:Sub": ["repo:octo/app:ref:refs/heads/main"]}}),
        ("gitlab.com", {"StringEquals": {"gitlab.com:sub": "project_path:octo/app:ref_type:branch:ref:main"}}),
        ("oidc.vercel.com", {"StringEquals": {"oidc.vercel.com:aud": "https://vercel.com/octo"}}),
        ("oidc.circleci.com/org/9", {}),
        ("id.example.com", {"StringEquals": {"id.example.com:aud": "berth"}}),
    ],
)
def test_whom_a_role_trusts_there_is_told_by_the_claim(issuer: str, condition: dict[str, Any]) -> None:
    assert trust_document.parse(trusting(issuer, Condition=condition)).statements


def test_only_what_lets_tokens_in_has_to_ask() -> None:
    assert trust_document.parse(trusting(GITHUB, action="sts:TagSession")).statements
    assert trust_document.parse(trusting(GITHUB, Effect="Deny")).statements
