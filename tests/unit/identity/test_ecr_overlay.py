"""What the overlay says of ECR's operations, beside the service authorization reference.

Service authorization reference, "Actions, resources, and condition keys for Amazon Elastic Container Registry".
"""

import json
from typing import Any

import botocore.session

from berth.identity.policies import keys
from berth.json_schemas import SCHEMAS

OVERLAY: dict[str, dict[str, Any]] = json.loads((SCHEMAS / "ecr.json").read_bytes())
OF_RESOURCE = {"aws:ResourceTag/${TagKey}", "ecr:ResourceTag/${TagKey}"}
OF_TAGS = {"aws:RequestTag/${TagKey}", "aws:TagKeys"}
# Those of the request itself.
CONDITION_KEYS = {
    "CreateRepository": OF_TAGS,
    "TagResource": OF_TAGS,
    "ListTagsForResource": OF_TAGS,
    "UntagResource": {"aws:TagKeys"},
    "GetAccountSetting": {"ecr:AccountSetting"},
    "PutAccountSetting": {"ecr:AccountSetting"},
}
# Operations that nobody calls: ECR does by itself what they permit.
PERMISSION_ONLY = {"ecr:BatchImportUpstreamImage", "ecr:ReplicateImage", "ecr:GetImageCopyStatus"}


def test_every_operation_has_its_action() -> None:
    operations = botocore.session.get_session().get_service_model("ecr").operation_names
    assert len(operations) >= 62
    others = {name: entry["action"] for name, entry in OVERLAY.items() if entry["action"] != f"ecr:{name}"}
    assert set(OVERLAY) == set(operations)
    # ECR API reference, "ListImageReferrers": "must have the ecr:BatchGetImage permission".
    assert others == {"ListImageReferrers": "ecr:BatchGetImage"}


def test_what_is_about_a_repository_can_be_bound_to_its_tags() -> None:
    for name, entry in OVERLAY.items():
        expected = CONDITION_KEYS.get(name, set()) | (OF_RESOURCE if "repository" in entry else set())
        assert set(entry.get("conditionKeys", [])) == expected, name


def test_every_condition_key_is_one_that_berth_fills() -> None:
    named = {key for entry in OVERLAY.values() for key in entry.get("conditionKeys", [])}
    assert {name for name in named if keys.find(name) is None} == set()


def test_further_actions_are_actions() -> None:
    known = {entry["action"] for entry in OVERLAY.values()} | PERMISSION_ONLY
    further = {action for entry in OVERLAY.values() for action in entry.get("dependentActions", [])}
    assert {action for action in further if not action.startswith("iam:")} <= known
