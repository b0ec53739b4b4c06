"""The JSON Schemas of `api-models/`, and what is wrong with a document in the words of ECR's own validator.

ECR answers what com.github.fge's json-schema-validator (a Java library) tells it, so this tells the same.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

SCHEMAS = Path(__file__).parent.parent / "api-models"
MAX_ERRORS = 1000
MAX_COMPLAINTS = 20
MAX_SHOWN = 100

_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong, in fge's `words`, at `place`: a JSON pointer (RFC 6901), empty for the whole document."""

    place: str
    words: str


def validator(name: str) -> Validator:
    """The validator of `api-models/NAME.schema.json`; compiling one takes milliseconds, so keep it."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    checker: Validator = _JacksonValidator(schema)
    return checker


def complaints(checker: Validator, document: Any) -> list[Complaint]:
    """What is wrong with `document`, in fge's order, at most 20 complaints; none when it is valid.

    fge looks at the fields of an object in the order of their names, and goes into nothing any more once one thing is
    wrong: of what comes later it sees only the neighbours of the fault and of the containers around it.
    """
    errors = islice(checker.iter_errors(document), MAX_ERRORS)
    found = sorted(errors, key=lambda error: (list(error.absolute_path), str(error.validator)))
    told: dict[tuple[Any, ...], Complaint] = {}
    for error in found:
        path, first = list(error.absolute_path), list(found[0].absolute_path)
        if len(path) <= len(first) and path[:-1] == first[: len(path) - 1]:
            # jsonschema tells of each missing property by itself, fge of all together.
            told.setdefault((*path, error.validator), Complaint(_pointer(path), _in_fges_words(error)))
    return list(islice(told.values(), MAX_COMPLAINTS))


def _pointer(path: list[Any]) -> str:
    return "".join("/" + _shown(step).replace("~", "~0").replace("/", "~1") for step in path)


def _in_fges_words(error: ValidationError) -> str:
    phrase = _PHRASES.get(str(error.validator))
    return phrase(error.instance, error.validator_value, error.schema) if phrase else error.message[:MAX_SHOWN]


_PHRASES: dict[str, Callable[[Any, Any, Any], str]] = {
    "type": lambda found, allowed, _: (
        f"instance type ({_TYPES.get(type(found), 'null')}) does not match any allowed primitive type "
        f"(allowed: {_listed(allowed if isinstance(allowed, list) else [allowed])})"
    ),
    "required": lambda found, names, _: (
        f"object has missing required properties ({_listed(sorted(set(names) - found.keys()))})"
    ),
    "additionalProperties": lambda found, _, schema: (
        "object instance has properties which are not allowed by the schema: "
        f"({_listed(sorted(found.keys() - schema['properties'].keys()))})"
    ),
    "enum": lambda found, allowed, _: (
        f"instance value ({_shown(found)}) not found in enum :(possible values: {_listed(allowed)})"
    ),
    "minimum": lambda found, least, _: (
        f"numeric instance is lower than the required minimum (minimum: {least}, found: {found})"
    ),
    "minLength": lambda found, least, _: (
        f'string "{_shown(found)}" is too short (length: {len(found)}, required minimum: {least})'
    ),
    "minItems": lambda found, least, _: (
        f"array is too short: must have at least {least} elements but instance has {len(found)} elements"
    ),
    "maxItems": lambda found, most, _: (
        f"array is too long: must have at most {most} elements but instance has {len(found)} elements"
    ),
    "minProperties": lambda found, least, _: (
        f"object has too few properties (found {len(found)} but schema requires at least {least})"
    ),
    # The branches of Berth's schemas exclude each other, so that none can have matched.
    "oneOf": lambda _found, branches, _: (
        f"instance failed to match exactly one schema (matched 0 out of {len(branches)})"
    ),
}


def _listed(names: list[str]) -> str:
    return json.dumps([name[:MAX_SHOWN] for name in names[:MAX_COMPLAINTS]], separators=(",", ":"), ensure_ascii=False)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text[:MAX_SHOWN]


def _items_unless_too_many(checker: Validator, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Looking into each of too many elements would only take time: `maxItems` has refused them."""
    if isinstance(instance, list) and len(instance) <= schema.get("maxItems", len(instance)):
        yield from Draft202012Validator.VALIDATORS["items"](checker, items, instance, schema)


# To Jackson 1.0 is no integer, though JSON Schema takes it for one.
_JacksonValidator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"items": _items_unless_too_many},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)
