"""1,500 questions about permissions in ECR, with the answers of an independent evaluator. Berth gives the same ones,
except where AWS's documentation contradicts them.

A case: `principal` is the ARN that calls (of a session, `sessionOf` names the role), `resourceAccount` owns `resource`,
`context` holds the condition keys. `serviceControlPolicies` are those of one level.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from berth.identity.policies import context
from berth.identity.policies.callers import Caller
from berth.identity.policies.decide import Request, decide
from tests.unit.identity.policies import asking, plain

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

# Where AWS documents another answer than the evaluator's, and which.
CONTRADICTED = {
    # A role without the tag `env`, a repository with it, and an Allow under StringNotEquals that compares the two. The
    # evaluator lets the condition fail. IAM user guide, "Policy variables with no value": inverted condition operators
    # like StringNotEquals "do match against a null value"; its example relies on it to deny whoever lacks the tag.
    "1-772": "Allowed",
}
CORPUS = Path(__file__).parent / "corpus.jsonl.gz"


def cases() -> list[dict[str, Any]]:
    with gzip.open(CORPUS, "rt") as lines:
        return [json.loads(line) for line in lines]


def expected(every: list[dict[str, Any]]) -> dict[str, str]:
    return {case["id"]: case["expected"] for case in every} | CONTRADICTED


def test_every_answer_is_that_of_the_evaluator() -> None:
    every = cases()
    assert len(every) == 1500
    assert {case["id"]: answer(case) for case in every} == expected(every)


def test_the_plain_evaluator_that_the_properties_rely_on_gives_the_same_answers() -> None:
    every = cases()
    assert {case["id"]: plain.decide(case) for case in every} == expected(every)


def answer(case: dict[str, Any]) -> str:
    policy = case.get("repositoryPolicy")
    levels = case.get("serviceControlPolicies")
    which = asking.applying(
        *case["identityPolicies"],
        boundary=case.get("permissionsBoundary"),
        session=case.get("sessionPolicies"),
        resource=None if policy is None else [policy],
        levels=[] if levels is None else [levels],
    )
    caller = Caller.aws(case["principal"], case.get("sessionOf"))
    keys = context.lowered(case["context"])
    asked = Request(caller, case["action"], case["resource"], case["resourceAccount"], keys)
    return decide(asked, which).outcome.value
