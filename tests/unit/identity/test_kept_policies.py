"""Policies that Berth keeps: what of them lasts from one request to the next, and what an unreadable one says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from berth.audit import AuditLog
from berth.errors import AccessDenied
from berth.identity import kept_policies
from berth.identity.access import Access
from berth.identity.authorize import Asked, authorize, rule
from berth.identity.own_policies import Own
from berth.identity.permits import Permits
from berth.identity.policies.compiled import Kind
from berth.identity.policies.context import Circumstances
from berth.identity.principals import Principal, Session
from berth.names import Registry
from tests.identities import EVERYTHING, allowing, document

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REGISTRY = Registry("111122223333", "us-east-1")
ALICE = Principal.user(REGISTRY.account, f"arn:aws:iam::{REGISTRY.account}:user/alice", "AIDA", "AKIA")


def permits_of(*texts: str) -> Permits:
    return Permits(ALICE, Own(ALICE.arn, "alice", {}, [("one", text) for text in texts], None, None, None, ()))


def access(policy: str | None = None) -> Access:
    row = {"id": 1, "policy": policy, "tags": {}, "registry_policy": None, "scope": None, "is_closed": False}
    return Access(REGISTRY, "team/app", row)


@pytest.mark.parametrize(
    ("key", "lasts"),
    [
        ("aws:PrincipalArn", True),
        ("aws:username", True),
        ("aws:PrincipalTag/team", True),
        ("ecr:ResourceTag/team", True),
        ("aws:ResourceTag/team", True),
        ("aws:RequestedRegion", True),
        ("aws:CurrentTime", False),
        ("aws:EpochTime", False),
        ("aws:SourceIp", False),
        ("aws:VpcSourceIp", False),
        ("aws:SourceVpce", False),
        ("aws:SecureTransport", False),
        ("aws:UserAgent", False),
        ("aws:Referer", False),
        ("aws:RequestTag/team", False),
        ("aws:TagKeys", False),
        ("aws:MultiFactorAuthAge", False),
        ("a:KeyThatNobodyKnows", False),
    ],
)
def test_what_a_policy_looks_at_says_whether_it_says_the_same_each_time(key: str, lasts: bool) -> None:
    for statement in (
        allowing("ecr:*", Condition={"StringEquals": {key: "x"}}),
        allowing("ecr:*", Condition={"StringEquals": {"aws:username": f"${{{key}}}"}}),
        allowing("ecr:*", resource=f"arn:aws:ecr:*:*:repository/${{{key}}}/*"),
    ):
        assert kept_policies.lasting(kept_policies.policies(Kind.IDENTITY, [("one", document(statement))])) == lasts


def test_a_policy_that_cannot_be_read_denies_everything() -> None:
    circumstances = Circumstances(moment=NOW, source_ip="10.0.0.1", secure=True, region="us-east-1")
    asked = Asked("ecr:ListImages", REGISTRY.arn("team/app"), access())
    audit = AuditLog()
    authorize(permits_of(document(EVERYTHING)), asked, circumstances, audit)
    for text in ("", "[]", "{}", "nonsense", '{"Statement": [{"Effect": "Allow"}, 7]}'):
        with pytest.raises(AccessDenied, match="with an explicit deny in an identity-based policy"):
            authorize(permits_of(document(EVERYTHING), text), asked, circumstances, audit)
        there = replace(asked, on=access(text))
        with pytest.raises(AccessDenied, match="with an explicit deny in a resource-based policy"):
            authorize(permits_of(document(EVERYTHING)), there, circumstances, audit)


def test_what_was_allowed_is_remembered_with_what_it_was_decided_by_and_bounded() -> None:
    permits, on = permits_of(document(EVERYTHING)), access()
    how = Circumstances(moment=NOW, source_ip="10.0.0.1", secure=True, region="us-east-1")
    one = rule(permits, Asked("ecr:ListImages", "one", on), how)
    assert permits.recall("ecr:ListImages", "one", on) is one
    assert permits.recall("ecr:ListImages", "one", access()) is None
    assert permits.recall("ecr:PutImage", "one", on) is None
    for number in range(1000):
        rule(permits, Asked("ecr:ListImages", str(number), on), how)
    assert sum(permits.recall("ecr:ListImages", str(number), on) is not None for number in range(1000)) <= 64


def test_a_principal_comes_back_from_its_claims() -> None:
    session = Session(
        1, 2, ("{}",), ("arn:x",), (("team", "a"),), ("team",), source_identity="me", authenticated_at=3, provider="p"
    )
    for principal in (
        Principal.root(REGISTRY.account, "AKIA"),
        ALICE,
        Principal.role_session(REGISTRY.account, "ci", "AROA", "job", "ASIA", session),
    ):
        assert Principal.of_claims(principal.claims()) == principal
    # As passwords were before there were sessions.
    assert Principal.of_claims(ALICE.claims()[:4]) == ALICE
