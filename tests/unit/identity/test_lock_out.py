import json
from typing import Any

import pytest

from berth.identity.documents import ecr_document
from berth.identity.documents.lock_out import locks_out

ROOT = "arn:aws:iam::123456789012:root"
USER = "arn:aws:iam::123456789012:user/alice"
SESSION = "arn:aws:sts::123456789012:assumed-role/admin/alice"
EVERYTHING = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}


def locked_out(principal: str, *statements: dict[str, Any]) -> bool:
    return locks_out(ecr_document.parse(json.dumps({"Statement": list(statements)})), principal)


@pytest.mark.parametrize("principal", [ROOT, USER, SESSION])
@pytest.mark.parametrize(
    "action", ["*", "ecr:*", "ECR:setrepositorypolicy", "ecr:Set*", ["ecr:PutImage", "ecr:SetRepositoryP?licy"]]
)
def test_a_deny_to_everybody_locks_everybody_out(principal: str, action: Any) -> None:
    assert locked_out(principal, {**EVERYTHING, "Action": action})
    assert locked_out(principal, {"Effect": "Allow", "Principal": "*", "Action": "*"}, {**EVERYTHING, "Action": action})


@pytest.mark.parametrize(
    "statement",
    [
        {**EVERYTHING, "Effect": "Allow"},
        {**EVERYTHING, "Action": ["ecr:PutImage", "ecr:DeleteRepositoryPolicy", "ecr:Get*"]},
        {"Effect": "Deny", "Principal": "*", "NotAction": "ecr:SetRepositoryPolicy"},
        {**EVERYTHING, "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
        {**EVERYTHING, "Principal": {"AWS": "210987654321"}},
        {**EVERYTHING, "Principal": {"AWS": "arn:aws:iam::123456789012:user/bob"}},
        {**EVERYTHING, "Principal": {"Service": "lambda.amazonaws.com"}},
    ],
)
@pytest.mark.parametrize("principal", [ROOT, USER, SESSION])
def test_any_other_statement_leaves_a_way_back(principal: str, statement: dict[str, Any]) -> None:
    assert not locked_out(principal, statement)


def test_whatever_is_not_meant_to_be_kept_is_denied() -> None:
    assert locked_out(ROOT, {"Effect": "Deny", "Principal": "*", "NotAction": "ecr:Get*"})


@pytest.mark.parametrize("account", ["123456789012", ROOT])
@pytest.mark.parametrize("principal", [ROOT, USER, SESSION])
def test_a_deny_to_the_account_locks_all_of_it_out(principal: str, account: str) -> None:
    assert locked_out(principal, {**EVERYTHING, "Principal": {"AWS": account}})


def test_a_deny_to_one_locks_out_that_one() -> None:
    for name, principal in [(USER, USER), ("arn:aws:iam::123456789012:role/team/admin", SESSION), (SESSION, SESSION)]:
        denied = {**EVERYTHING, "Principal": {"AWS": name}}
        assert [locked_out(other, denied) for other in (ROOT, USER, SESSION)] == [
            other == principal for other in (ROOT, USER, SESSION)
        ]


def test_a_deny_to_all_but_some_spares_those_alone() -> None:
    spared = {"Effect": "Deny", "NotPrincipal": {"AWS": [ROOT, USER]}, "Action": "*"}
    assert [locked_out(principal, spared) for principal in (ROOT, USER, SESSION)] == [False, False, True]
    account = {**spared, "NotPrincipal": {"AWS": "123456789012"}}
    assert [locked_out(principal, account) for principal in (ROOT, USER)] == [False, True]
