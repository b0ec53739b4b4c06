"""Which operations of the model Berth has, and how it answers for the others."""

import json
import re
from typing import Any

import pytest

import controlplane.call
from controlplane.call import built
from controlplane.overlays import OVERLAYS, rules
from controlplane.wire import model
from tests.integration.controlplane.conftest import Api


def test_every_operation_of_the_model_is_built() -> None:
    names = model.service("ecr").operations
    assert {name for name in names if built("ecr", name) is None} == set()


async def test_an_operation_that_a_newer_model_brings_is_not_supported_yet(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(controlplane.call._BUILT, ("ecr", "DescribeRegistry"))
    refusal = await api.refused("describe_registry")
    assert (refusal.code, refusal.status) == ("ValidationException", 400)
    assert refusal.message == "The operation DescribeRegistry is not supported by this service"


async def test_an_operation_of_sts_that_is_not_built_says_so(sts: Api) -> None:
    refusal = await sts.refused("decode_authorization_message", EncodedMessage="message")
    assert (refusal.code, refusal.status) == ("ValidationError", 400)


def test_the_overlay_speaks_of_every_operation_and_of_members_that_it_has() -> None:
    service = model.service("ecr")
    overlay = json.loads((OVERLAYS / "ecr.json").read_bytes())
    assert set(overlay) == set(service.operations)
    for name, rule in rules("ecr").items():
        members: dict[str, Any] = dict(service.operations[name].model.input_shape.members)
        # ECR API reference, "ListImageReferrers": it takes the permission of BatchGetImage.
        assert rule.action == f"ecr:{'BatchGetImage' if name == 'ListImageReferrers' else name}"
        assert overlay[name]["access"] in {"Read", "List", "Write", "Tagging", "Permissions management"}
        assert rule.repository is None or rule.repository in members
        assert (rule.repository is None) == (not {"repositoryName", "repositoryNames", "resourceArn"} & members.keys())
        assert all(re.fullmatch(r"(aws|ecr):[A-Za-z/${}]+", key) for key in overlay[name].get("conditionKeys", ()))
