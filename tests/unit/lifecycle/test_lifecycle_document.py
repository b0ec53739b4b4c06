"""Where a text is ECR's own, as its users have reported it, the test holds it whole."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidParameter
from berth.lifecycle import document
from berth.lifecycle.policy import Action, Policy, Rule, Selection


def rule(priority: int = 1, action: dict[str, Any] | None = None, **selection: Any) -> dict[str, Any]:
    """A rule about untagged images older than 14 days, but for what `selection` changes; None leaves a member out."""
    chosen = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
    chosen = {name: value for name, value in {**chosen, **selection}.items() if value is not ...}
    return {"rulePriority": priority, "selection": chosen, "action": action or {"type": "expire"}}


def text_of(*rules: Any) -> str:
    return json.dumps({"rules": list(rules)}).ljust(100)


def reason(text: str) -> str:
    """What ECR adds to "Lifecycle policy validation failure: " when it refuses `text`."""
    with pytest.raises(InvalidParameter) as refused:
        document.parse(text)
    head = (
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
        "'Lifecycle policy validation failure: "
    )
    assert refused.value.message.startswith(head)
    assert refused.value.message.endswith("'")
    return refused.value.message[len(head) : -1]


TRANSITION = {"type": "transition", "targetStorageClass": "archive"}
COUNT = {"countType": "imageCountMoreThan", "countUnit": ...}
ARCHIVED = {"countType": "sinceImageTransitioned", "storageClass": "archive", "countNumber": 90}


def test_a_policy_becomes_its_rules() -> None:
    text = text_of(
        {**rule(5, tagStatus="tagged", tagPrefixList=["prod", "web"]), "description": "old"},
        rule(7, TRANSITION, tagStatus="tagged", tagPatternList=["v*"], **COUNT),
    )
    assert document.parse(text) == Policy(
        (
            Rule(
                5,
                "old",
                Selection("tagged", ("prod", "web"), (), None, "sinceImagePushed", "days", 14),
                Action("expire", None),
            ),
            Rule(
                7,
                None,
                Selection("tagged", (), ("v*",), None, "imageCountMoreThan", None, 14),
                Action("transition", "archive"),
            ),
        )
    )


@pytest.mark.parametrize(
    "rules",
    [
        [rule()],
        [rule(tagStatus="any")],
        [rule(tagStatus="any", storageClass="standard")],
        [rule(2**31 - 1, countNumber=2**31 - 1)],
        [rule(tagStatus="tagged", tagPatternList=["*test*1*2*3", "test*1*2*3*"])],
        [rule(tagPrefixList=[], tagPatternList=[])],
        [rule(2, tagStatus="any"), rule(1)],
        # ECR user guide, "Examples of lifecycle policies": archive what is not pulled, delete it later.
        [
            rule(1, TRANSITION, tagStatus="any", countType="sinceImagePulled", countNumber=90),
            rule(2, tagStatus="any", **ARCHIVED),
        ],
        [rule(1, TRANSITION), rule(2, **ARCHIVED)],
        [
            rule(1, TRANSITION, tagStatus="tagged", tagPrefixList=["v"]),
            rule(2, tagStatus="tagged", tagPrefixList=["v"], **ARCHIVED),
        ],
        [rule(number, tagStatus="tagged", tagPrefixList=[str(number)]) for number in range(1, 51)],
        [rule(1, tagStatus="tagged", tagPrefixList=["a", "b"]), rule(2, tagStatus="tagged", tagPrefixList=["a"])],
    ],
)
def test_what_ecr_takes_is_taken(rules: list[dict[str, Any]]) -> None:
    policy = document.parse(text_of(*rules))
    assert [entry.priority for entry in policy.rules] == [entry["rulePriority"] for entry in rules]
    assert document.parse(document.serialize(policy)) == policy


def test_the_text_that_comes_back_is_ecrs() -> None:
    """From the AWS CLI reference, "put-lifecycle-policy": the members in ECR's order, whatever theirs was."""
    text = """
    {
      "rules": [
        {
          "action": {"type": "expire"},
          "selection": {
            "countNumber": 14, "countUnit": "days", "countType": "sinceImagePushed", "tagStatus": "untagged"
          },
          "description": "Expire images older than 14 days",
          "rulePriority": 1
        }
      ]
    }
    """
    assert document.serialize(document.parse(text)) == (
        '{"rules":[{"rulePriority":1,"description":"Expire images older than 14 days","selection":'
        '{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},'
        '"action":{"type":"expire"}}]}'
    )


@pytest.mark.parametrize(
    ("text", "bound"),
    [("", "greater than or equal to 100"), ("x" * 99, "greater than or equal to 100"), ("x" * 30721, "30720")],
)
def test_a_text_of_the_wrong_length_is_refused(text: str, bound: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        document.parse(text)
    assert refused.value.message.startswith(
        "Invalid parameter at 'lifecyclePolicyText' failed to satisfy constraint: 'Member must have length "
    )
    assert bound in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "null",
        '"text"',
        "1",
        "[" * 30_000,
        '{"rules": NaN}',
        '{"rules":[],"rules":[]}',
        text_of(rule(int("9" * 20))),
        text_of(rule(2**31)),
        text_of(rule(countNumber=2**31)),
        text_of(rule(action={"type": "transition"})),
    ],
)
def test_a_text_that_ecr_cannot_map_is_refused(text: str) -> None:
    assert reason(text.ljust(100)) == "Could not map policyString into LifecyclePolicy."


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({}, 'object has missing required properties (["rules"])'),
        ({"rules": {}}, 'instance type (object) does not match any allowed primitive type (allowed: ["array"])'),
        ({"rules": []}, "array is too short: must have at least 1 elements but instance has 0 elements"),
        (
            {"rules": [rule(number) for number in range(1, 52)]},
            "array is too long: must have at most 50 elements but instance has 51 elements",
        ),
        (
            {"rules": [rule()], "x": 1, "a": 2},
            'object instance has properties which are not allowed by the schema: (["a","x"])',
        ),
    ],
)
def test_a_policy_of_another_shape_is_refused(policy: Any, words: str) -> None:
    assert reason(json.dumps(policy).ljust(100)) == words


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (1, 'instance type (integer) does not match any allowed primitive type (allowed: ["object"])'),
        ({}, 'object has missing required properties (["action","rulePriority","selection"])'),
        ({**rule(), "x": 1}, 'object instance has properties which are not allowed by the schema: (["x"])'),
        (rule(0), "numeric instance is lower than the required minimum (minimum: 1, found: 0)"),
        (rule(-7), "numeric instance is lower than the required minimum (minimum: 1, found: -7)"),
        (
            {**rule(), "rulePriority": 1.0},
            'instance type (number) does not match any allowed primitive type (allowed: ["integer"])',
        ),
        (
            {**rule(), "rulePriority": True},
            'instance type (boolean) does not match any allowed primitive type (allowed: ["integer"])',
        ),
        (
            {**rule(), "description": None},
            'instance type (null) does not match any allowed primitive type (allowed: ["string"])',
        ),
        (rule(tagStatus=...), 'object has missing required properties (["tagStatus"])'),
        (rule(countNumber=..., tagStatus=...), 'object has missing required properties (["countNumber","tagStatus"])'),
        (
            rule(tagStatus="unknown"),
            'instance value (unknown) not found in enum :(possible values: ["any","tagged","untagged"])',
        ),
        (rule(countUnit="weeks"), 'instance value (weeks) not found in enum :(possible values: ["days"])'),
        (
            rule(storageClass="cold"),
            'instance value (cold) not found in enum :(possible values: ["archive","standard"])',
        ),
        (rule(countNumber=0), "numeric instance is lower than the required minimum (minimum: 1, found: 0)"),
        (rule(x=1), 'object instance has properties which are not allowed by the schema: (["x"])'),
        (rule(countType="unknown"), "instance failed to match exactly one schema (matched 0 out of 4)"),
        (rule(countUnit=...), "instance failed to match exactly one schema (matched 0 out of 4)"),
        (
            rule(countType="imageCountMoreThan"),
            "instance failed to match exactly one schema (matched 0 out of 4)",
        ),
        (
            rule(countType="imageCountMoreThan", countUnit=None),
            "instance failed to match exactly one schema (matched 0 out of 4)",
        ),
        (rule(**{**ARCHIVED, "storageClass": ...}), "instance failed to match exactly one schema (matched 0 out of 4)"),
        (
            rule(**{**ARCHIVED, "storageClass": "standard"}),
            "instance failed to match exactly one schema (matched 0 out of 4)",
        ),
        (
            rule(action={"type": "x"}),
            'instance value (x) not found in enum :(possible values: ["expire","transition"])',
        ),
        ({**rule(), "action": {}}, 'object has missing required properties (["type"])'),
        (
            rule(action={"type": "expire", "targetStorageClass": None}),
            "instance failed to match exactly one schema (matched 0 out of 2)",
        ),
        (
            rule(action={"type": "transition", "targetStorageClass": "standard"}),
            "instance failed to match exactly one schema (matched 0 out of 2)",
        ),
        # Two faults side by side are both told, in the order of their names.
        (
            rule(tagPrefixList=None, tagPatternList=None),
            'instance type (null) does not match any allowed primitive type (allowed: ["array"])\n'
            'instance type (null) does not match any allowed primitive type (allowed: ["array"])',
        ),
        (
            rule(tagStatus="tagged", tagPrefixList=[""]),
            'string "" is too short (length: 0, required minimum: 1)',
        ),
    ],
)
def test_a_rule_of_another_shape_is_refused(entry: Any, words: str) -> None:
    assert reason(text_of(entry)) == words


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (rule(tagStatus="tagged"), "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."),
        (
            rule(tagStatus="tagged", tagPrefixList=[]),
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
        ),
        (
            rule(tagStatus="tagged", tagPrefixList=["a"], tagPatternList=["b"]),
            "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList.",
        ),
        (rule(tagPrefixList=["a"]), "Cannot specify tagPrefixList with tagStatus untagged."),
        (rule(tagStatus="any", tagPatternList=["a"]), "Cannot specify tagPatternList with tagStatus any."),
        (
            rule(storageClass="archive"),
            "SINCE_IMAGE_PUSHED, SINCE_IMAGE_PULLED and IMAGE_COUNT_MORE_THAN support the STANDARD storage class only.",
        ),
        (rule(countType="sinceImagePulled"), "SINCE_IMAGE_PULLED supports the TRANSITION action only."),
        (rule(1, TRANSITION, **ARCHIVED), "SINCE_IMAGE_TRANSITIONED supports the EXPIRE action only."),
        (
            rule(**{**ARCHIVED, "countNumber": 89}),
            "countNumber of SINCE_IMAGE_TRANSITIONED must be at least 90, and 89 was found.",
        ),
    ],
)
def test_a_rule_that_could_not_be_applied_is_refused(entry: dict[str, Any], words: str) -> None:
    assert reason(text_of(entry)) == words


@pytest.mark.parametrize("pattern", ["test*1*2*3*4*5*6", "*****", "a b", "ä*", "v1\n", "a" * 129])
def test_a_tag_pattern_outside_the_grammar_is_refused(pattern: str) -> None:
    words = reason(text_of(rule(tagStatus="tagged", tagPatternList=["v*", pattern])))
    assert words.startswith("Invalid tag pattern provided")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([rule(1), rule(1, tagStatus="any")], "Duplicate priority in multiple rules."),
        ([rule(1, TRANSITION), rule(1, **ARCHIVED)], "Duplicate priority in multiple rules."),
        ([rule(1), rule(2)], "Only one rule can select Untagged images per storage class."),
        (
            [rule(1, tagStatus="any"), rule(2, tagStatus="any")],
            "Only one rule can specify tagStatus=ANY per storage class.",
        ),
        (
            [rule(1, tagStatus="any"), rule(2)],
            "Rule for tagStatus=ANY must have the lowest priority per storage class.",
        ),
        (
            [
                rule(1, tagStatus="tagged", tagPrefixList=["a", "b"]),
                rule(2, tagStatus="tagged", tagPrefixList=["b", "a"], **COUNT),
            ],
            "Only one rule can select the same set of tag prefixes per storage class.",
        ),
    ],
)
def test_rules_that_contradict_each_other_are_refused(rules: list[dict[str, Any]], words: str) -> None:
    assert reason(text_of(*rules)) == words


@pytest.mark.timeout(60)  # Looking at each element for each other one would take minutes.
@pytest.mark.parametrize(
    "text",
    [
        text_of(rule(tagStatus="tagged", tagPrefixList=[""] * 7_000)),
        text_of(*[{}] * 7_000),
        text_of(rule(tagStatus="tagged", tagPatternList=["*" * 30_000])),
        text_of({**rule(), "description": ["x"] * 5_000}),
        text_of(rule(**{f"x{number}": 1 for number in range(2_500)})),
    ],
)
def test_a_hostile_text_costs_little_and_is_answered_briefly(text: str) -> None:
    assert len(reason(text)) < 5_000


WORDS = st.sampled_from(
    [
        "tagged",
        "untagged",
        "any",
        "standard",
        "archive",
        "days",
        "expire",
        "transition",
        "v*",
        "prod",
        "imageCountMoreThan",
        "sinceImagePushed",
        "sinceImagePulled",
        "sinceImageTransitioned",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@given(st.text(min_size=100, max_size=300))
def test_any_text_is_a_policy_or_an_invalid_parameter(text: str) -> None:
    with contextlib.suppress(InvalidParameter):
        document.parse(text)


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(rule(), VALUES)), max_size=3), VALUES)
def test_any_json_is_a_policy_or_an_invalid_parameter(rules: list[Any], other: Any) -> None:
    for value in ({"rules": rules}, {"rules": other}, other):
        with contextlib.suppress(InvalidParameter):
            document.parse(json.dumps(value).ljust(100))


@st.composite
def plausible_rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    number = st.integers(1, 200)
    tags = st.lists(st.sampled_from(["v", "prod", "dev-*", "a*b*c"]), max_size=2)
    selections = st.fixed_dictionaries(
        {
            "tagStatus": st.sampled_from(["tagged", "untagged", "any"]),
            "countType": st.sampled_from(
                ["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"]
            ),
            "countNumber": number,
        },
        optional={
            "countUnit": st.just("days"),
            "storageClass": st.sampled_from(["standard", "archive"]),
            "tagPrefixList": tags,
            "tagPatternList": tags,
        },
    )
    entries = st.fixed_dictionaries(
        {
            "rulePriority": number,
            "selection": selections,
            "action": st.sampled_from([{"type": "expire"}, TRANSITION]),
        },
        optional={"description": st.text(st.characters(codec="utf-8"), max_size=10)},
    )
    return draw(st.lists(entries, min_size=1, max_size=3))


@given(plausible_rules())
def test_a_policy_serializes_to_an_equal_document(rules: list[dict[str, Any]]) -> None:
    try:
        policy = document.parse(text_of(*rules))
    except InvalidParameter:
        return
    for entry in rules:
        for name in ("tagPrefixList", "tagPatternList"):
            # An empty list says the same as none.
            if not entry["selection"].get(name, ["some"]):
                del entry["selection"][name]
    text = document.serialize(policy)
    assert json.loads(text) == {"rules": rules}
    assert document.parse(text) == policy
