"""A lifecycle policy: from the JSON text that PutLifecyclePolicy takes to rules, and back. Pure.

The shape is in `api-models/lifecycle-policy.schema.json`; what holds within and between rules is here.
ECR user guide, "Lifecycle policy properties" and "Lifecycle policy evaluation rules".
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from berth import json_documents, json_schemas
from berth.errors import InvalidParameter
from berth.lifecycle.policy import Action, Policy, Rule, Selection

# ECR API reference, "PutLifecyclePolicy", `lifecyclePolicyText`, in characters.
MIN_LENGTH = 100
MAX_LENGTH = 30720
MAX_WILDCARDS = 4
# ECR user guide, "Archiving an image": archived images are kept 90 days at least.
MIN_DAYS_ARCHIVED = 90
# ECR maps the numbers of a policy to Java's `int`.
MAX_INTEGER = 2**31 - 1

_TAG_PATTERN = re.compile(r"[a-zA-Z0-9._*-]{1,128}")
_UNMAPPABLE = "Could not map policyString into LifecyclePolicy."
_SCHEMA = json_schemas.validator("lifecycle-policy")


def parse(text: str) -> Policy:
    """The policy that `text` describes, once it is sure that each rule can be applied and none contradicts another.

    Raises InvalidParameter for any other text, with ECR's own words where they are on record.
    """
    if len(text) < MIN_LENGTH:
        raise InvalidParameter("lifecyclePolicyText", f"Member must have length greater than or equal to {MIN_LENGTH}")
    if len(text) > MAX_LENGTH:
        raise InvalidParameter("lifecyclePolicyText", f"Member must have length less than or equal to {MAX_LENGTH}")
    try:
        document = json_documents.read(text)
    except json_documents.Malformed:
        raise _invalid(_UNMAPPABLE) from None
    if not isinstance(document, dict):
        raise _invalid(_UNMAPPABLE)
    complaints = json_schemas.complaints(_SCHEMA, document)
    if complaints:
        raise _invalid("\n".join(complaint.words for complaint in complaints))
    policy = Policy(tuple(_rule(entry) for entry in document["rules"]))
    for rule in policy.rules:
        _check(rule)
    _check_together(policy)
    return policy


def serialize(policy: Policy) -> str:
    """The text that ECR gives back: without blanks, each object's members in the order of ECR's template."""
    return json.dumps({"rules": [_as_json(rule) for rule in policy.rules]}, separators=(",", ":"), ensure_ascii=False)


def _rule(entry: dict[str, Any]) -> Rule:
    selection, action = entry["selection"], entry["action"]
    return Rule(
        priority=entry["rulePriority"],
        description=entry.get("description"),
        selection=Selection(
            tag_status=selection["tagStatus"],
            tag_prefixes=tuple(selection.get("tagPrefixList", ())),
            tag_patterns=tuple(selection.get("tagPatternList", ())),
            storage_class=selection.get("storageClass"),
            count_type=selection["countType"],
            count_unit=selection.get("countUnit"),
            count_number=selection["countNumber"],
        ),
        action=Action(action["type"], action.get("targetStorageClass")),
    )


def _check(rule: Rule) -> None:
    if max(rule.priority, rule.selection.count_number) > MAX_INTEGER:
        raise _invalid(_UNMAPPABLE)
    if rule.action.type == "transition" and rule.action.target_storage_class is None:
        raise _invalid(_UNMAPPABLE)
    _check_tags(rule.selection)
    _check_count(rule.selection, rule.action)


def _check_tags(selection: Selection) -> None:
    if selection.tag_status == "tagged":
        if not selection.tag_prefixes and not selection.tag_patterns:
            raise _invalid("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.")
        if selection.tag_prefixes and selection.tag_patterns:
            raise _invalid("If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList.")
    elif selection.tag_prefixes or selection.tag_patterns:
        given = "tagPrefixList" if selection.tag_prefixes else "tagPatternList"
        raise _invalid(f"Cannot specify {given} with tagStatus {selection.tag_status}.")
    for pattern in selection.tag_patterns:
        if not _TAG_PATTERN.fullmatch(pattern) or pattern.count("*") > MAX_WILDCARDS:
            raise _invalid(
                f"Invalid tag pattern provided: '{pattern[:128]}'. A tag pattern consists of 1 to 128 characters of a "
                f"tag, with at most {MAX_WILDCARDS} wildcards (*)."
            )


def _check_count(selection: Selection, action: Action) -> None:
    if selection.count_type != "sinceImageTransitioned":
        if selection.selected_storage_class != "standard":
            raise _invalid(
                "SINCE_IMAGE_PUSHED, SINCE_IMAGE_PULLED and IMAGE_COUNT_MORE_THAN support the STANDARD storage class "
                "only."
            )
        if selection.count_type == "sinceImagePulled" and action.type != "transition":
            raise _invalid("SINCE_IMAGE_PULLED supports the TRANSITION action only.")
        return
    if action.type != "expire":
        raise _invalid("SINCE_IMAGE_TRANSITIONED supports the EXPIRE action only.")
    if selection.count_number < MIN_DAYS_ARCHIVED:
        raise _invalid(
            f"countNumber of SINCE_IMAGE_TRANSITIONED must be at least {MIN_DAYS_ARCHIVED}, "
            f"and {selection.count_number} was found."
        )


def _check_together(policy: Policy) -> None:
    if _repeated(rule.priority for rule in policy.rules):
        raise _invalid("Duplicate priority in multiple rules.")
    for storage_class in ("standard", "archive"):
        _check_class([rule for rule in policy.rules if rule.selection.selected_storage_class == storage_class])


def _check_class(rules: list[Rule]) -> None:
    """The rules that select one storage class, among themselves."""
    statuses = Counter(rule.selection.tag_status for rule in rules)
    if statuses["untagged"] > 1:
        raise _invalid("Only one rule can select Untagged images per storage class.")
    if statuses["any"] > 1:
        raise _invalid("Only one rule can specify tagStatus=ANY per storage class.")
    last = max(rules, key=lambda rule: rule.priority, default=None)
    if last and statuses["any"] and last.selection.tag_status != "any":
        raise _invalid("Rule for tagStatus=ANY must have the lowest priority per storage class.")
    if _repeated(frozenset(rule.selection.tag_prefixes) for rule in rules if rule.selection.tag_prefixes):
        raise _invalid("Only one rule can select the same set of tag prefixes per storage class.")


def _repeated(values: Iterable[object]) -> bool:
    return any(times > 1 for times in Counter(values).values())


def _as_json(rule: Rule) -> dict[str, Any]:
    selection, action = rule.selection, rule.action
    return _given(
        rulePriority=rule.priority,
        description=rule.description,
        selection=_given(
            tagStatus=selection.tag_status,
            tagPatternList=list(selection.tag_patterns) or None,
            tagPrefixList=list(selection.tag_prefixes) or None,
            storageClass=selection.storage_class,
            countType=selection.count_type,
            countUnit=selection.count_unit,
            countNumber=selection.count_number,
        ),
        action=_given(type=action.type, targetStorageClass=action.target_storage_class),
    )


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _invalid(reason: str) -> InvalidParameter:
    return InvalidParameter("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")
