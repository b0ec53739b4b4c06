"""Decisions that nobody made."""

from datetime import UTC, datetime
from typing import Any

from berth.audit import Ruled
from berth.identity.policies.compiled import Kind
from berth.identity.policies.context import Circumstances
from berth.identity.policies.decide import Decision, Outcome
from berth.identity.principals import Principal

ACCOUNT = "111122223333"
ALLOWED = Decision(Outcome.ALLOWED, Kind.IDENTITY, ())
REFUSED = Decision(Outcome.IMPLICITLY_DENIED, Kind.IDENTITY, ())
ALICE = Principal.user(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice", "AIDAALICE", "AKIAALICE")


def ruled(resource: str = "one", decision: Decision = ALLOWED, **more: Any) -> Ruled:
    given = {"principal": ALICE, "action": "ecr:BatchGetImage", "policies_of": None, "more": {}, **more}
    return Ruled(resource=resource, decision=decision, **given)


def how(**given: Any) -> Circumstances:
    return Circumstances(
        **{"moment": datetime(2026, 11, 25, 10, 30, tzinfo=UTC), "source_ip": "10.0.0.7", "secure": True}
        | {"region": "us-east-1"}
        | given
    )
