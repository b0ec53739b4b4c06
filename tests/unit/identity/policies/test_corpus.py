"""1,500 questions about permissions in ECR, with the answers of an independent evaluator. Berth gives the same ones.

A case: `principal` is the ARN that calls (of a session, `sessionOf` names the role), `resourceAccount` owns `resource`,
`context` holds the condition keys. `serviceControlPolicies` are those of one level. None of the answers contradicts
AWS's documentation, so that no case is left out.
"""

import gzip
import json
from pathlib import Path
from typing import Any

from berth.identity.policies import context
from berth.identity.policies.callers import Caller
from berth.identity.policies.decide import Request, decide
from tests.unit.identity.policies import asking, plain

CORPUS = Path(__file__).parent / "corpus.jsonl.gz"


def cases() -> list[dict[str, Any]]:
    with gzip.open(CORPUS, "rt") as lines:
        return [json.loads(line) for line in lines]


def test_every_answer_is_that_of_the_evaluator() -> None:
    every = cases()
    assert len(every) == 1500
    assert {case["id"]: answer(case) for case in every} == {case["id"]: case["expected"] for case in every}


def test_the_plain_evaluator_that_the_properties_rely_on_gives_the_same_answers() -> None:
    every = cases()
    assert {case["id"]: plain.decide(case) for case in every} == {case["id"]: case["expected"] for case in every}


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
