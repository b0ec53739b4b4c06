"""Lifecycle and repository policies that make no sense, on the control plane."""

import json
from typing import Any

import pytest

from tests.integration.bad_input.api import INVALID, Bad, check_refused, on_repository
from tests.integration.bad_input.conftest import Place

GONE = object()
TEXT = "lifecyclePolicyText"
# ECR says no more than this of the combinations of countType, countUnit and countNumber.
ONE_OF = "match exactly one schema"
UNMAPPABLE = "Could not map policyString"


def without(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not GONE}


def rule(*, selection: Any = None, action: Any = None, **fields: Any) -> dict[str, Any]:
    """A rule that expires all but 10 images, with `fields` for those that it has; GONE takes one away."""
    chosen = without({"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10, **(selection or {})})
    done = {"type": "expire"} if action is None else action
    return without({"rulePriority": 1, "description": "d" * 40, "selection": chosen, "action": done, **fields})


def lifecycle(fault: str, names: str, document: Any) -> object:
    text = document if isinstance(document, str) else json.dumps(document)
    return on_repository(fault, "PutLifecyclePolicy", INVALID, names, **{TEXT: text})


def rules(fault: str, names: str, *entries: Any) -> object:
    return lifecycle(fault, names, {"rules": list(entries)})


def selecting(fault: str, names: str, **selection: Any) -> object:
    return rules(fault, names, rule(selection=selection))


GOOD = json.dumps({"rules": [rule()]})

LIFECYCLE = [
    lifecycle("nothing", TEXT, ""),
    lifecycle("99 blanks", "100", " " * 99),
    lifecycle("30,721 letters", "30720", GOOD + " " * (30721 - len(GOOD))),
    lifecycle("a megabyte less a few", "30720", "x" * 1_000_000),
    lifecycle("text", UNMAPPABLE, "expire everything " * 10),
    lifecycle("half of one", UNMAPPABLE, GOOD[:-1]),
    lifecycle("something after it", UNMAPPABLE, GOOD + "x"),
    lifecycle("single quotes", UNMAPPABLE, GOOD.replace('"', "'")),
    lifecycle("a key twice", UNMAPPABLE, GOOD[:-1] + ',"rules":[]}'),
    lifecycle("NaN", UNMAPPABLE, GOOD.replace("10", "NaN")),
    lifecycle("a number of 400 digits", UNMAPPABLE, GOOD.replace("10", "9" * 400)),
    lifecycle("15,000 lists", UNMAPPABLE, "[" * 15_000 + "]" * 15_000),
    lifecycle("5,000 objects", UNMAPPABLE, '{"a":' * 5000 + "1" + "}" * 5000),
    lifecycle("a lone surrogate", UNMAPPABLE, GOOD.replace("ddd", r"\ud800")),
    lifecycle("a list", UNMAPPABLE, [{"rules": [rule()]}]),
    lifecycle("a string", UNMAPPABLE, "x" * 120),
    lifecycle("no rules", "rules", {"rule": [rule()]}),
    lifecycle("rules in an object", "array", {"rules": rule()}),
    lifecycle("rules null", "null", '{"rules":null' + " " * 100 + "}"),
    lifecycle("an empty list of rules", "too short", '{"rules":[]' + " " * 100 + "}"),
    lifecycle("51 rules", "too long", {"rules": [{"rulePriority": n} for n in range(51)]}),
    lifecycle("another member", "version", {"version": 1, "rules": [rule()]}),
    rules("a string for a rule", "object", "x" * 100),
    rules("no priority", "rulePriority", rule(rulePriority=GONE)),
    rules("priority 0", "minimum", rule(rulePriority=0)),
    rules("a negative priority", "minimum", rule(rulePriority=-1)),
    rules("a priority with a point", "integer", rule(rulePriority=1.5)),
    rules("a priority in a string", "string", rule(rulePriority="1")),
    rules("a priority of 2³¹", UNMAPPABLE, rule(rulePriority=2**31)),
    rules("a priority twice", "Duplicate priority", rule(selection={"tagStatus": "untagged"}), rule()),
    rules("a number for a description", "integer", rule(description=1)),
    rules("no selection", "selection", without({**rule(), "selection": GONE})),
    rules("no action", "action", without({**rule(), "action": GONE})),
    rules("an empty action", "type", rule(action={})),
    rules("an action that there is not", "expire", rule(action={"type": "delete"})),
    rules("a transition to nowhere", UNMAPPABLE, rule(action={"type": "transition"})),
    rules("another member of a rule", "when", rule(when="now")),
    selecting("no status", "tagStatus", tagStatus=GONE),
    selecting("a status that there is not", "tagged", tagStatus="ALL"),
    selecting("tagged, but no tags", "tagPrefixList", tagStatus="tagged"),
    selecting("both lists of tags", "only one", tagStatus="tagged", tagPrefixList=["v"], tagPatternList=["v*"]),
    selecting("tags of the untagged", "tagPrefixList", tagStatus="untagged", tagPrefixList=["v"]),
    selecting("prefixes in a string", "array", tagStatus="tagged", tagPrefixList="v"),
    selecting("a number for a prefix", "integer", tagStatus="tagged", tagPrefixList=[1]),
    selecting("a pattern of five wildcards", "wildcards", tagStatus="tagged", tagPatternList=["*a*b*c*d*"]),
    selecting("a pattern with a bracket", "tag pattern", tagStatus="tagged", tagPatternList=["v[0-9]"]),
    selecting("no count", "countNumber", countNumber=GONE),
    selecting("a count of 0", "minimum", countNumber=0),
    selecting("a negative count", "minimum", countNumber=-10),
    selecting("a count in a string", "string", countNumber="10"),
    selecting("a count with a point", "integer", countNumber=10.5),
    selecting("a count of 2³¹", UNMAPPABLE, countNumber=2**31),
    selecting("no count type", "countType", countType=GONE),
    selecting("a count type that there is not", ONE_OF, countType="sinceForever"),
    selecting("an age without a unit", ONE_OF, countType="sinceImagePushed"),
    selecting("a unit that there is not", "days", countType="sinceImagePushed", countUnit="hours"),
    selecting("a member of a selection", "color", color="red"),
    on_repository("no text", "PutLifecyclePolicy", INVALID, TEXT),
    on_repository("none to get", "GetLifecyclePolicy", "LifecyclePolicyNotFoundException", "Lifecycle policy"),
    on_repository("none to delete", "DeleteLifecyclePolicy", "LifecyclePolicyNotFoundException", "Lifecycle policy"),
]

SAYS = "Invalid repository policy provided"


def policy(fault: str, names: str, document: Any) -> object:
    text = document if isinstance(document, str) else json.dumps(document)
    return on_repository(fault, "SetRepositoryPolicy", INVALID, names, policyText=text)


def statement(fault: str, names: str, **fields: Any) -> object:
    """A policy of one statement, which allows everybody to pull but for `fields`; GONE takes one away."""
    good = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    return policy(fault, names, {"Version": "2012-10-17", "Statement": [without({**good, **fields})]})


PULL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}'

POLICIES = [
    policy("nothing", "JSON", ""),
    policy("10,241 letters", "10240", PULL + " " * (10241 - len(PULL))),
    policy("text", "JSON", "allow everything"),
    policy("half of one", "JSON", PULL[:-1]),
    policy("something after it", "JSON", PULL + "x"),
    policy("a key twice", "twice", PULL.replace('"Effect"', '"Effect":"Deny","Effect"')),
    policy("NaN", "NaN", PULL.replace('"2012-10-17"', "NaN")),
    policy("5,000 lists", "deep", "[" * 5000 + "]" * 5000),
    policy("2,000 objects", "deep", '{"a":' * 1700 + "1" + "}" * 1700),
    policy("a lone surrogate", "JSON", PULL.replace("Allow", r"\ud800")),
    policy("a list", "array", [json.loads(PULL)]),
    policy("null", "null", None),
    policy("an empty object", "Statement", {}),
    policy("no statements", "Statement", {"Version": "2012-10-17"}),
    policy("an empty list of statements", "/Statement", {"Version": "2012-10-17", "Statement": []}),
    policy("a string for a statement", "/Statement", {"Version": "2012-10-17", "Statement": ["allow"]}),
    policy("a version that there is not", "/Version", {**json.loads(PULL), "Version": "2026-01-01"}),
    policy("a version in small letters", "version", {**json.loads(PULL), "version": "2012-10-17"}),
    policy("a number for an Id", "/Id", {**json.loads(PULL), "Id": 1}),
    statement("no effect", "Effect", Effect=GONE),
    statement("an effect in small letters", "Effect", Effect="allow"),
    statement("an effect that there is not", "Effect", Effect="Maybe"),
    statement("no action", "Action", Action=GONE),
    statement("an empty list of actions", "Action", Action=[]),
    statement("an action of another service", "'s3:GetObject'", Action="s3:GetObject"),
    statement("an action without a service", "'BatchGetImage'", Action="BatchGetImage"),
    statement("an action of no repository", "GetAuthorizationToken", Action="ecr:GetAuthorizationToken"),
    statement("a number for an action", "Action", Action=1),
    statement("an action of 9,000 letters", "ecr:", Action="ecr:" + "a/" * 4500),
    statement("both actions", "NotAction", NotAction="ecr:PutImage"),
    statement("no principal", "Principal", Principal=GONE),
    statement("both principals", "NotPrincipal", NotPrincipal={"AWS": "123456789012"}),
    statement("a principal allowed to all others", "NotPrincipal", Principal=GONE, NotPrincipal={"AWS": "0" * 12}),
    statement("a principal of a word", "Principal", Principal="everybody"),
    statement("a principal of no kind", "Principal", Principal={"GitHub": "x"}),
    statement("a principal of 11 digits", "'00000000000'", Principal={"AWS": "0" * 11}),
    statement("a principal of no ARN", "'arn:aws:iam'", Principal={"AWS": "arn:aws:iam"}),
    statement("a service that is none", "Service", Principal={"Service": "evil.example.com"}),
    statement("a principal with a wildcard", "AWS", Principal={"AWS": "arn:aws:iam::123456789012:user/*"}),
    statement("an operator that there is not", "'StringSounds'", Condition={"StringSounds": {"a": "b"}}),
    statement("a condition in a list", "Condition", Condition=[]),
    statement("a condition of a string", "Condition", Condition={"StringEquals": "a"}),
    statement("a condition of an object", "Condition", Condition={"StringEquals": {"a": {"b": "c"}}}),
    statement("a member that there is not", "Reason", Reason="because"),
    on_repository("no text", "SetRepositoryPolicy", INVALID, "policyText"),
    on_repository("none to get", "GetRepositoryPolicy", "RepositoryPolicyNotFoundException", "Repository policy"),
    on_repository("none to delete", "DeleteRepositoryPolicy", "RepositoryPolicyNotFoundException", "Repository policy"),
    on_repository(
        "one that locks its owner out",
        "SetRepositoryPolicy",
        INVALID,
        "force",
        policyText=PULL.replace("Allow", "Deny").replace("ecr:BatchGetImage", "*"),
    ),
]


@pytest.mark.parametrize("row", LIFECYCLE)
async def test_a_lifecycle_policy_that_makes_no_sense_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)


@pytest.mark.parametrize("row", POLICIES)
async def test_a_repository_policy_that_makes_no_sense_is_refused(place: Place, row: Bad) -> None:
    await check_refused(place, row)
