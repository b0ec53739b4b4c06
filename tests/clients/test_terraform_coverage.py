"""Whatever the Terraform AWS provider has for ECR, some configuration here has too, with every argument of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from . import test_terraform, test_terraform_registry
from .shell import Shell
from .test_terraform import FILES, Terraform

pytestmark = pytest.mark.clients("terraform")

BLOCK = re.compile(r'^(resource|data) "(aws_ecr_\w+)" "\w+" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
ARGUMENT = re.compile(r'^ +(?:dynamic "(\w+)"|(\w+) *[={])', re.MULTILINE)
# `id` is the provider's own name for a thing, `tags_all` what default_tags adds to `tags`; the tags of what a
# data source finds are an argument in its schema alone
NOT_GIVEN = {"resource": {"id", "tags_all"}, "data": {"id", "tags", "resource_tags"}}
SCHEMAS = {"resource": "resource_schemas", "data": "data_source_schemas"}


def test_every_resource_and_data_source_is_tried_with_every_argument(shell: Shell) -> None:
    terraform = Terraform(shell, "images")
    (provider,) = json.loads(terraform("providers", "schema", "-json"))["provider_schemas"].values()
    known = {
        (kind, name): set(arguments(schema["block"])) - NOT_GIVEN[kind]
        for kind, schemas in SCHEMAS.items()
        for name, schema in provider[schemas].items()
        if name.startswith("aws_ecr_")
    }
    tried: dict[tuple[str, str], set[str]] = {}
    for configuration in FILES.glob("*.tf"):
        for kind, name, body in BLOCK.findall(configuration.read_text()):
            tried.setdefault((kind, name), set()).update(word for pair in ARGUMENT.findall(body) for word in pair)
    assert known.keys() == tried.keys()
    assert {what: missing for what, given in known.items() if (missing := given - tried[what])} == {}

    imported = {
        address.split(".")[0] for module in (test_terraform, test_terraform_registry) for address in module.IMPORTED
    }
    assert imported == {name for kind, name in known if kind == "resource"}


def arguments(block: dict[str, Any]) -> Iterator[str]:
    """The arguments of a block that one can give, and those of the blocks in it."""
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("optional") or attribute.get("required"):
            yield name
    for name, inner in block.get("block_types", {}).items():
        yield name
        yield from arguments(inner["block"])
