"""What holds of all policies, and that the engine agrees with the plain evaluator about random ones."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.identity.policies import plain
from tests.unit.identity.policies.asking import ACCOUNT, ALICE, OTHER, ROLE, SESSION
from tests.unit.identity.policies.test_corpus import answer

ACTIONS = ["ecr:PutImage", "ecr:BatchGetImage", "ecr:CreateRepository"]
ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/"
RESOURCES = [f"{ARN}team/web", f"{ARN}prod/api", "*"]
CONTEXT = {
    "aws:username": ["alice", "a*e"],
    "aws:PrincipalTag/team": ["team", "Prod", ""],
    "aws:TagKeys": [[], ["env"], ["env", "owner"], [""]],
    "aws:SourceIp": ["10.1.2.3", "2001:db8::1"],
    "aws:MultiFactorAuthAge": ["100", "5000"],
    "aws:CurrentTime": ["2026-11-24T10:00:00Z"],
    "aws:SecureTransport": ["true", "false"],
    "aws:PrincipalArn": [ALICE, ROLE],
}
VALUES: dict[str, list[str]] = {
    "String": ["team", "TEAM", "t*", "${aws:username}", "${aws:PrincipalTag/team, 'prod'}", "${*}", "env", ""],
    "Arn": [ALICE, f"arn:aws:iam::{ACCOUNT}:*", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:role/te?ms/*"],
    "Numeric": ["100", "4999.5"],
    "Date": ["2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"],
    "Bool": ["true", "false"],
    "IpAddress": ["10.0.0.0/8", "2001:db8::/32", "10.1.2.3"],
}
KEYS = {
    "String": ["aws:username", "aws:PrincipalTag/team", "aws:TagKeys", "aws:missing"],
    "Arn": ["aws:PrincipalArn", "aws:missing"],
    "Numeric": ["aws:MultiFactorAuthAge", "aws:missing"],
    "Date": ["aws:CurrentTime", "aws:missing"],
    "Bool": ["aws:SecureTransport", "aws:missing"],
    "IpAddress": ["aws:SourceIp", "aws:missing"],
}
OPERATORS = {
    "String": ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"],
    "Arn": ["ArnLike", "ArnNotEquals"],
    "Numeric": ["NumericLessThan", "NumericNotEquals", "NumericGreaterThanEquals"],
    "Date": ["DateGreaterThan", "DateLessThanEquals"],
    "Bool": ["Bool"],
    "IpAddress": ["IpAddress", "NotIpAddress"],
}


def several(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(OPERATORS)))
    operator = draw(st.sampled_from(OPERATORS[kind]))
    quantifier = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
    written = f"{quantifier}{operator}{draw(st.sampled_from(['', '', 'IfExists']))}"
    key = draw(st.sampled_from(KEYS[kind]))
    return draw(
        st.sampled_from(
            [{written: {key: draw(several(VALUES[kind]))}}, {"Null": {key: draw(st.sampled_from(["true", "false"]))}}]
        )
    )


@st.composite
def statements(draw: st.DrawFn, *, on_resource: bool = False) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    actions = several([*ACTIONS, "*", "ecr:*Image", "ECR:Put*", "ecr:CreateRepositor?", "s3:*"])
    statement[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(actions)
    if on_resource:
        names = several([ALICE, ROLE, SESSION, ACCOUNT, OTHER, f"arn:aws:iam::{ACCOUNT}:root", "*"])
        negated = statement["Effect"] == "Deny" and draw(st.booleans())
        statement["NotPrincipal" if negated else "Principal"] = {"AWS": draw(names)}
    else:
        resources = several(
            [
                "*",
                f"{ARN}*",
                f"{ARN}team/we?",
                f"{ARN}${{aws:PrincipalTag/team}}/*",
                f"{ARN}${{aws:username, 'prod'}}/*",
            ]
        )
        statement[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(resources)
    if draw(st.booleans()):
        statement["Condition"] = draw(conditions())
    return statement


@st.composite
def documents(draw: st.DrawFn, *, on_resource: bool = False) -> dict[str, Any]:
    each = draw(st.lists(statements(on_resource=on_resource), min_size=1, max_size=3))
    return {"Version": draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"])), "Statement": each}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    caller = draw(st.sampled_from([ALICE, SESSION, f"arn:aws:iam::{ACCOUNT}:root"]))
    case: dict[str, Any] = {
        "principal": caller,
        "action": draw(st.sampled_from(ACTIONS)),
        "resource": draw(st.sampled_from(RESOURCES)),
        "resourceAccount": draw(st.sampled_from([ACCOUNT, ACCOUNT, OTHER])),
        "context": draw(
            st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in CONTEXT.items()})
        ),
        "identityPolicies": draw(st.lists(documents(), max_size=2)),
    }
    if caller == SESSION:
        case["sessionOf"] = ROLE
    optional: dict[str, st.SearchStrategy[Any]] = {
        "repositoryPolicy": documents(on_resource=True),
        "permissionsBoundary": documents(),
        "sessionPolicies": st.lists(documents(), min_size=1, max_size=2),
        "serviceControlPolicies": st.lists(documents(), min_size=1, max_size=2),
    }
    if caller == ALICE:
        del optional["sessionPolicies"]
    elif caller != SESSION:
        del optional["sessionPolicies"], optional["permissionsBoundary"]
    return case | draw(st.fixed_dictionaries({}, optional=optional))


KINDS = ["identityPolicies", "repositoryPolicy", "permissionsBoundary", "sessionPolicies", "serviceControlPolicies"]


def of_kind(case: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = case.get(kind, [])
    return found if isinstance(found, list) else [found]


@given(cases())
def test_the_compiled_policies_say_what_the_plain_ones_say(case: dict[str, Any]) -> None:
    assert answer(case) == plain.decide(case)


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
