"""IAM user guide, "Policy evaluation logic", "Cross-account policy evaluation logic", and the pages that they name."""

from typing import Any

import pytest

from berth.identity.policies.callers import Caller
from berth.identity.policies.decide import Applying, decide
from tests.unit.identity.policies.asking import (
    ACCOUNT,
    ALICE,
    OTHER,
    ROLE,
    SESSION,
    allow,
    applying,
    deny,
    document,
    outcome,
    request,
    to,
)

ALLOWED, DENIED, NOT_ALLOWED = "Allowed", "ExplicitlyDenied", "ImplicitlyDenied"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/alice"
NOTHING = allow("s3:GetObject")


def as_caller(arn: str) -> Caller:
    return Caller.aws(arn, {SESSION: ROLE, FEDERATED: ALICE}.get(arn))


# Who is named in the policy on the repository, who calls, and what comes of it where the caller's own policies, a
# permissions boundary or a session policy do not allow it.
NAMED = [
    (ALICE, ALICE, ALLOWED, ALLOWED, None),
    (ROLE, SESSION, ALLOWED, NOT_ALLOWED, NOT_ALLOWED),
    (SESSION, SESSION, ALLOWED, ALLOWED, ALLOWED),
    (FEDERATED, FEDERATED, ALLOWED, ALLOWED, ALLOWED),
    (ALICE, FEDERATED, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED),
    ("*", ALICE, ALLOWED, ALLOWED, None),
    ("*", SESSION, ALLOWED, ALLOWED, ALLOWED),
    (ACCOUNT, ALICE, NOT_ALLOWED, NOT_ALLOWED, None),
    (ROOT, SESSION, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED),
    (f"arn:aws:iam::{ACCOUNT}:user/ALICE", ALICE, NOT_ALLOWED, NOT_ALLOWED, None),
]


@pytest.mark.parametrize(("named", "caller", "alone", "bounded", "in_session"), NAMED)
def test_what_a_policy_on_the_resource_grants_depends_on_whom_it_names(
    named: str, caller: str, alone: str, bounded: str, in_session: str | None
) -> None:
    asked = request(as_caller(caller))
    assert decide(asked, applying(resource=[to(named)])).outcome == alone
    assert decide(asked, applying(resource=[to(named)], boundary=NOTHING)).outcome == bounded
    if in_session is not None:
        assert decide(asked, applying(resource=[to(named)], session=[NOTHING])).outcome == in_session


@pytest.mark.parametrize("named", ["*", ACCOUNT, ROOT, ALICE])
def test_across_accounts_both_sides_have_to_allow_it(named: str) -> None:
    asked = request(ALICE, owner=OTHER)
    assert outcome(asked, applying(allow(), resource=[to(named)])) == (ALLOWED, "RESOURCE")
    assert outcome(asked, applying(allow())) == (NOT_ALLOWED, "RESOURCE")
    assert outcome(asked, applying(allow(), resource=[to(OTHER)])) == (NOT_ALLOWED, "RESOURCE")
    assert outcome(asked, applying(resource=[to(named)])) == (NOT_ALLOWED, "IDENTITY")
    assert outcome(asked, applying(allow(), resource=[to(named)], boundary=NOTHING)) == (NOT_ALLOWED, "BOUNDARY")


@pytest.mark.parametrize("named", [ROLE, SESSION])
def test_across_accounts_naming_a_session_lifts_no_limit(named: str) -> None:
    asked = request(SESSION, owner=OTHER)
    assert outcome(asked, applying(allow(), resource=[to(named)], session=[allow()])) == (ALLOWED, "RESOURCE")
    assert outcome(asked, applying(allow(), resource=[to(named)], session=[NOTHING])) == (NOT_ALLOWED, "SESSION")
    assert outcome(asked, applying(resource=[to(named)], session=[allow()])) == (NOT_ALLOWED, "IDENTITY")


def test_each_kind_of_policy_denies_for_all() -> None:
    everything: dict[str, Any] = {
        "boundary": allow(), "session": [allow()], "resource": [to("*")], "endpoint": to("*"), "levels": [[allow()]],
    }  # fmt: skip
    asked = request(SESSION)
    assert decide(asked, applying(allow(), **everything)).allowed
    refusals = {
        "IDENTITY": applying(allow(), deny(), **everything),
        "BOUNDARY": applying(allow(), **(everything | {"boundary": deny()})),
        "SESSION": applying(allow(), **(everything | {"session": [allow(), deny()]})),
        "RESOURCE": applying(allow(), **(everything | {"resource": [to("*"), to(ACCOUNT, effect="Deny")]})),
        "ENDPOINT": applying(allow(), **(everything | {"endpoint": to("*", effect="Deny")})),
        "SERVICE_CONTROL": applying(allow(), **(everything | {"levels": [[allow()], [allow(), deny()]]})),
    }
    for kind, which in refusals.items():
        assert outcome(asked, which) == (DENIED, kind)


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({"boundary": NOTHING}, "BOUNDARY"),
        ({"session": [NOTHING]}, "SESSION"),
        ({"session": []}, "SESSION"),
        ({"endpoint": to(OTHER)}, "ENDPOINT"),
        ({"levels": [[allow()], [NOTHING]]}, "SERVICE_CONTROL"),
        ({"levels": [[], [allow()]]}, "SERVICE_CONTROL"),
    ],
)
def test_a_limit_that_does_not_allow_it_is_named(limits: Any, kind: str) -> None:
    assert outcome(request(SESSION), applying(allow(), **limits)) == (NOT_ALLOWED, kind)


def test_inline_and_managed_session_policies_count_together() -> None:
    assert decide(request(SESSION), applying(allow(), session=[NOTHING, allow()])).allowed


def test_a_federated_user_may_do_nothing_without_a_session_policy() -> None:
    asked = request(as_caller(FEDERATED))
    assert outcome(asked, applying(allow())) == (NOT_ALLOWED, "SESSION")
    assert outcome(asked, applying(allow(), session=[allow()])) == (ALLOWED, "IDENTITY")


def test_service_control_policies_bind_whom_a_repository_names_directly() -> None:
    assert outcome(request(), applying(resource=[to(ALICE)], levels=[[NOTHING]])) == (NOT_ALLOWED, "SERVICE_CONTROL")


def test_the_root_of_an_account_may_do_everything_in_it_but_what_is_denied() -> None:
    asked = request(ROOT)
    assert outcome(asked, applying()) == (ALLOWED, "IDENTITY")
    assert outcome(asked, applying(resource=[to(ALICE)])) == (ALLOWED, "IDENTITY")
    assert outcome(asked, applying(resource=[to("*", effect="Deny")])) == (DENIED, "RESOURCE")
    assert outcome(asked, applying(levels=[[NOTHING]])) == (NOT_ALLOWED, "SERVICE_CONTROL")


def test_the_root_of_another_account_needs_the_policy_on_the_resource() -> None:
    asked = request(ROOT, owner=OTHER)
    assert outcome(asked, applying()) == (NOT_ALLOWED, "RESOURCE")
    assert outcome(asked, applying(resource=[to(ACCOUNT)])) == (ALLOWED, "RESOURCE")


def test_a_service_has_no_policies_but_those_on_the_resource() -> None:
    service = Caller.service("replication.ecr.amazonaws.com", "ecr.amazonaws.com")
    asked = request(service)
    for name in ("replication.ecr.amazonaws.com", "ecr.amazonaws.com"):
        assert outcome(asked, applying(resource=[to({"Service": name})])) == (ALLOWED, "RESOURCE")
    assert outcome(asked, applying(resource=[to("*")])) == (ALLOWED, "RESOURCE")
    assert outcome(asked, applying(resource=[to({"Service": "s3.amazonaws.com"})])) == (NOT_ALLOWED, "RESOURCE")
    assert outcome(asked, applying(resource=[to(ACCOUNT)])) == (NOT_ALLOWED, "RESOURCE")
    assert outcome(asked, applying()) == (NOT_ALLOWED, "RESOURCE")


def test_a_policy_on_the_registry_counts_as_one_on_the_repository() -> None:
    registry = document(
        {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "ecr:*", "Resource": f"arn:aws:ecr:*:{ACCOUNT}:*"}
    )
    asked = request(f"arn:aws:iam::{OTHER}:user/bob")
    decision = decide(asked, applying(allow(), resource=[to(ALICE), registry]))
    assert decision.allowed
    assert [(ruling.policy.name, ruling.rule.index) for ruling in decision.rulings] == [
        ("identity-0", 0),
        ("resource-1", 0),
    ]


class TestTrust:
    """A trust policy has to allow it, whatever the caller's own policies say."""

    asked = request(ALICE, "sts:AssumeRole", ROLE)

    @pytest.mark.parametrize(
        ("trust", "own", "expected"),
        [
            (to(ALICE), [], (ALLOWED, "TRUST")),
            (to(ACCOUNT), [allow()], (ALLOWED, "IDENTITY")),
            (to(ACCOUNT), [], (NOT_ALLOWED, "IDENTITY")),
            (to(OTHER), [allow()], (NOT_ALLOWED, "TRUST")),
            (to(ALICE, effect="Deny"), [allow()], (DENIED, "TRUST")),
        ],
    )
    def test_within_the_account(self, trust: Any, own: Any, expected: Any) -> None:
        assert outcome(self.asked, applying(*own, trust=trust)) == expected

    def test_across_accounts(self) -> None:
        asked = request(ALICE, "sts:AssumeRole", f"arn:aws:iam::{OTHER}:role/r", OTHER)
        assert outcome(asked, applying(trust=to(ALICE))) == (NOT_ALLOWED, "IDENTITY")
        assert outcome(asked, applying(allow(), trust=to(ALICE))) == (ALLOWED, "TRUST")
        assert outcome(asked, applying(allow(), trust=to(OTHER))) == (NOT_ALLOWED, "TRUST")

    def test_of_an_identity_provider(self) -> None:
        provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"
        claims = {"token.example.com:sub": "repo:berth:main"}
        asked = request(Caller.federated(provider), "sts:AssumeRoleWithWebIdentity", ROLE, keys=claims)
        condition = {"StringLike": {"token.example.com:sub": "repo:berth:*"}}
        trust = to({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", Condition=condition)
        assert outcome(asked, applying(trust=trust)) == (ALLOWED, "TRUST")
        assert outcome(asked, applying(trust=to({"Federated": "accounts.google.com"}))) == (NOT_ALLOWED, "TRUST")


class TestNotPrincipal:
    @staticmethod
    def excepting(*names: str) -> Applying:
        exception = {"Effect": "Deny", "NotPrincipal": {"AWS": list(names)}, "Action": "*"}
        return applying(allow(), resource=[document(exception)])

    @pytest.mark.parametrize("name", [SESSION, ROLE, ACCOUNT, ROOT])
    def test_who_is_named_is_not_denied(self, name: str) -> None:
        assert decide(request(SESSION), self.excepting(name)).allowed

    def test_everybody_else_is_denied(self) -> None:
        assert outcome(request(SESSION), self.excepting(ALICE, OTHER)) == (DENIED, "RESOURCE")

    def test_who_has_a_permissions_boundary_is_denied_whoever_is_named(self) -> None:
        """IAM user guide, "Permissions boundaries for IAM entities", the box "Important"."""
        which = self.excepting(SESSION, ROLE, ROOT)
        which.boundary = applying(boundary=allow()).boundary
        assert outcome(request(SESSION), which) == (DENIED, "RESOURCE")


class TestElements:
    @pytest.mark.parametrize(
        "action", ["ecr:PutImage", "ECR:putimage", "ecr:Put*", "*", "ec?:*Image", ["s3:*", "ecr:P*"]]
    )
    def test_actions_are_compared_without_regard_to_case(self, action: Any) -> None:
        assert decide(request(), applying(allow(action))).allowed

    @pytest.mark.parametrize("action", ["ecr:PutImages", "ecr:Get*", "s3:PutImage", "Put*"])
    def test_another_action_is_not_allowed(self, action: str) -> None:
        assert not decide(request(), applying(allow(action))).allowed

    def test_not_action_is_about_all_others(self) -> None:
        policy = document({"Effect": "Allow", "NotAction": ["ecr:Delete*", "iam:*"], "Resource": "*"})
        assert decide(request(), applying(policy)).allowed
        assert not decide(request(action="ecr:DeleteRepository"), applying(policy)).allowed

    def test_resources_are_compared_with_regard_to_case_and_across_colons(self) -> None:
        assert decide(request(), applying(allow(resource="arn:aws:ecr:*/web"))).allowed
        assert not decide(request(), applying(allow(resource="arn:aws:ecr:*/WEB"))).allowed

    def test_not_resource_is_about_all_others(self) -> None:
        policy = document({"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:ecr:*:*:repository/prod/*"]})
        assert decide(request(), applying(policy)).allowed
        assert not decide(request(resource=request().resource.replace("team/", "prod/")), applying(policy)).allowed

    def test_the_statement_that_decided_is_named(self) -> None:
        policy = document(
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Sid": "NoPush", "Effect": "Deny", "Action": "ecr:Put*", "Resource": "*"},
        )
        decision = decide(request(), applying(allow(), policy))
        assert [(it.policy.name, it.rule.index, it.rule.sid) for it in decision.rulings] == [
            ("identity-1", 1, "NoPush")
        ]
