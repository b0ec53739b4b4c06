"""The file: YAML, of the shape of `api-models/identities.schema.json`. Pure."""

from typing import Any

import yaml
from jsonschema.exceptions import best_match

from berth import json_schemas

_SCHEMA = json_schemas.validator("identities")
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
# What a file declares, each by its names.
KINDS = ("policies", "groups", "users", "roles", "oidc_providers")


class NotDeclared(Exception):
    """The file cannot be read, or asks for what cannot be; the text says where and why."""


class _Loader(yaml.SafeLoader):
    """A date stays a text (`Version: 2012-10-17`), and a name that is given twice is none."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise NotDeclared(f"line {node.start_mark.line + 1}: '{name}' is there twice")
        return super().construct_mapping(node, deep)


def read(text: str) -> dict[str, Any]:
    """What the file declares, each kind by its names; of each what is given. Raises NotDeclared."""
    try:
        found = yaml.load(text, _Loader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        raise NotDeclared(f"this is no YAML: {error}") from None
    document = {} if found is None else found
    fault = best_match(_SCHEMA.iter_errors(document))
    if fault is not None:
        raise NotDeclared(f"{' → '.join(map(str, fault.absolute_path)) or 'the file'}: {fault.message[:300]}")
    kinds = {kind: {name: one or {} for name, one in (document.get(kind) or {}).items()} for kind in KINDS}
    return {"account": document.get("account"), **kinds}
