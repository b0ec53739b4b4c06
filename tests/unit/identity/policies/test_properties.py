"""What holds of all policies, and that the engine agrees with the plain evaluator about random ones."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.identity.policies import plain, plain_conditions
from tests.unit.identity.policies.asking import holds
from tests.unit.identity.policies.generated import cases, conditions, contexts, documents, statements
from tests.unit.identity.policies.test_corpus import answer

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

KINDS = ["identityPolicies", "repositoryPolicy", "permissionsBoundary", "sessionPolicies", "serviceControlPolicies"]


def of_kind(case: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = case.get(kind, [])
    return found if isinstance(found, list) else [found]


@given(cases())
@settings(max_examples=200, derandomize=True)
def test_the_compiled_policies_say_what_the_plain_ones_say(case: dict[str, Any]) -> None:
    assert answer(case) == plain.decide(case)


@given(conditions(), contexts(), st.booleans())
@settings(max_examples=1500, derandomize=True)
def test_compiled_conditions_say_what_plain_ones_say(condition: dict[str, Any], keys: Any, current: bool) -> None:
    plainly = all(
        plain_conditions.holds(keys, operator, key, written, variables=current)
        for operator, asked in condition.items()
        for key, written in asked.items()
    )
    assert holds(condition, keys, "2012-10-17" if current else "2008-10-17") is plainly


@given(cases(), st.sampled_from(KINDS), st.data())
def test_adding_a_denial_never_allows(case: dict[str, Any], kind: str, data: st.DataObject) -> None:
    before, changed = answer(case), copy.deepcopy(case)
    for policy in of_kind(changed, kind):
        policy["Statement"].append(data.draw(statements(on_resource=kind == "repositoryPolicy")) | {"Effect": "Deny"})
    after = answer(changed)
    assert after == before or after == "ExplicitlyDenied"


@given(cases(), st.sampled_from(KINDS), st.data())
def test_adding_an_allowance_never_takes_away(case: dict[str, Any], kind: str, data: st.DataObject) -> None:
    before, changed = answer(case), copy.deepcopy(case)
    for policy in of_kind(changed, kind):
        new = data.draw(statements(on_resource=kind == "repositoryPolicy")) | {"Effect": "Allow"}
        policy["Statement"].append(new)
    assert answer(changed) == before or (before, answer(changed)) == ("ImplicitlyDenied", "Allowed")


@given(cases(), st.randoms())
def test_the_order_of_statements_and_policies_never_matters(case: dict[str, Any], random: Any) -> None:
    changed = copy.deepcopy(case)
    for kind in KINDS:
        found = of_kind(changed, kind)
        random.shuffle(found)
        for policy in found:
            random.shuffle(policy["Statement"])
    assert answer(changed) == answer(case)


@given(cases())
def test_statements_mean_the_same_in_a_policy_of_their_own(case: dict[str, Any]) -> None:
    apart = [policy | {"Statement": [one]} for policy in case["identityPolicies"] for one in policy["Statement"]]
    assert answer(case | {"identityPolicies": apart}) == answer(case)


@given(cases(), documents(), st.sampled_from(["permissionsBoundary", "serviceControlPolicies", "sessionPolicies"]))
def test_a_limit_never_gives(case: dict[str, Any], limit: dict[str, Any], kind: str) -> None:
    without = {name: value for name, value in case.items() if name != kind}
    limited = answer(without | {kind: limit if kind == "permissionsBoundary" else [limit]})
    assert limited != "Allowed" or answer(without) == "Allowed"


@given(cases())
def test_what_a_policy_does_not_ask_for_does_not_matter(case: dict[str, Any]) -> None:
    """What the context has beside the keys that the policies name changes nothing."""
    asked = json.dumps(case)
    more = {"aws:UserAgent": "x", "aws:Referer": "y", "aws:PrincipalTag/unheard": "z"}
    assert not any(key in asked for key in more)
    assert answer(case | {"context": case["context"] | more}) == answer(case)
