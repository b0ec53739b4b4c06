"""The condition operators without their prefixes and suffixes: from the values of a policy to a test of one value.

IAM user guide, "IAM JSON policy elements: Condition operators".
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from berth.identity.policies import values
from berth.identity.policies.globs import Matcher
from berth.identity.policies.variables import Context, Escaped, Part, Template, has_variables, parts_of

# Whether a value of the request matches any value of the policy.
Test = Callable[[str], bool]
# The test as it is in a request. A value of the policy whose variable has no value there matches nothing.
Bound = Callable[[Context], Test]

ARN_COMPONENTS = 6


@dataclass(frozen=True, slots=True)
class Comparison:
    """`test` stands where the policy's values are the same in every request, `bind` where they have variables."""

    negated: bool
    test: Test | None
    bind: Bound | None = None


def comparison(name: str, policy_values: tuple[str, ...], version: str) -> Comparison:
    """The operator `name`, such as `StringNotLike`, against the values of a policy of that language version."""
    negated, build = _OPERATORS[name]
    test, bind = build([parts_of(value, version) for value in policy_values])
    return Comparison(negated, test, bind)


_Built = tuple[Test | None, Bound | None]
_Parts = list[list[Part]]


def _of_strings(build: Callable[[list[str]], Test]) -> Callable[[_Parts], _Built]:
    """An operator whose values have variables, but no wildcards."""

    def built(texts: _Parts) -> _Built:
        if not any(map(has_variables, texts)):
            return build(["".join(map(str, parts)) for parts in texts]), None
        templates = [Template(parts, wildcards=False) for parts in texts]

        def bind(context: Context) -> Test:
            filled = (template.text(context) for template in templates)
            return build([text for text in filled if text is not None])

        return None, bind

    return built


def _of_globs(
    split: Callable[[list[Part]], _Parts], build: Callable[[list[list[Matcher]]], Test]
) -> Callable[[_Parts], _Built]:
    """An operator whose values have wildcards and variables; `split` says of how many patterns one consists."""

    def built(texts: _Parts) -> _Built:
        templates = [[Template(part, wildcards=True) for part in split(parts)] for parts in texts]

        def bind(context: Context) -> Test:
            filled = [[template.matcher(context) for template in several] for several in templates]
            known = [[matches for matches in several if matches is not None] for several in filled]
            return build([each for each, wanted in zip(known, filled, strict=True) if len(each) == len(wanted)])

        if any(template.variables for several in templates for template in several):
            return None, bind
        return bind({}), None

    return built


def _plain(build: Callable[[list[str]], Test]) -> Callable[[_Parts], _Built]:
    """An operator that takes no variables: their text is a value as any other."""
    return lambda texts: (build(["".join(map(_written, parts)) for parts in texts]), None)


def _written(part: Part) -> str:
    return part if isinstance(part, str) else f"${{{part.key}}}"


def _equals(texts: list[str]) -> Test:
    return frozenset(texts).__contains__


def _equals_ignoring_case(texts: list[str]) -> Test:
    lowered = frozenset(text.lower() for text in texts)
    return lambda value: value.lower() in lowered


def _like(globs: list[list[Matcher]]) -> Test:
    patterns = [matches for (matches,) in globs]
    if len(patterns) == 1:
        return patterns[0]
    return lambda value: any(matches(value) for matches in patterns)


def _arn_like(globs: list[list[Matcher]]) -> Test:
    def test(value: str) -> bool:
        components = value.split(":", ARN_COMPONENTS - 1)
        return len(components) == ARN_COMPONENTS and any(
            all(matches(component) for matches, component in zip(several, components, strict=True)) for several in globs
        )

    return test


def _whole(parts: list[Part]) -> _Parts:
    return [parts]


def _components(parts: list[Part]) -> _Parts:
    """The six components of an ARN, each a pattern of its own; IAM takes a missing one for `*`."""
    components: _Parts = [[]]
    for part in parts:
        if isinstance(part, str) and not isinstance(part, Escaped) and len(components) < ARN_COMPONENTS:
            first, *others = part.split(":", ARN_COMPONENTS - len(components))
            components[-1].append(first)
            components += [[other] for other in others]
        else:
            components[-1].append(part)
    return components + [["*"]] * (ARN_COMPONENTS - len(components))


def _ordered(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Callable[[list[str]], Test]:
    def build(texts: list[str]) -> Test:
        limits = [limit for text in texts if (limit := read(text)) is not None]
        if len(limits) == 1:
            return _to_one(limits[0])

        def test(value: str) -> bool:
            found = read(value)
            return found is not None and any(compare(found, limit) for limit in limits)

        return test

    def _to_one(limit: Any) -> Test:
        def test(value: str) -> bool:
            found = read(value)
            return found is not None and compare(found, limit)

        return test

    return build


def _truths(texts: list[str]) -> Test:
    wanted = {text.lower() for text in texts} & {"true", "false"}
    return lambda value: value.lower() in wanted


def _ip_address(texts: list[str]) -> Test:
    networks = [found for text in texts if (found := values.network(text)) is not None]

    def test(value: str) -> bool:
        found = values.address(value)
        return found is not None and any(
            found[0] == version and found[1] >> free == first for version, first, free in networks
        )

    return test


_Entry = tuple[bool, Callable[[_Parts], _Built]]
_string_equals, _string_like = _of_strings(_equals), _of_globs(_whole, _like)
_ignoring_case, _arn = _of_strings(_equals_ignoring_case), _of_globs(_components, _arn_like)
_address = _plain(_ip_address)
_ORDERS = {
    "Equals": (False, operator.eq),
    "NotEquals": (True, operator.eq),
    "LessThan": (False, operator.lt),
    "LessThanEquals": (False, operator.le),
    "GreaterThan": (False, operator.gt),
    "GreaterThanEquals": (False, operator.ge),
}
# By name: whether it is negated, and how it is built.
_OPERATORS: dict[str, _Entry] = {
    "StringEquals": (False, _string_equals),
    "StringNotEquals": (True, _string_equals),
    "StringEqualsIgnoreCase": (False, _ignoring_case),
    "StringNotEqualsIgnoreCase": (True, _ignoring_case),
    "StringLike": (False, _string_like),
    "StringNotLike": (True, _string_like),
    # The two behave alike, the user guide says.
    "ArnEquals": (False, _arn),
    "ArnLike": (False, _arn),
    "ArnNotEquals": (True, _arn),
    "ArnNotLike": (True, _arn),
    "Bool": (False, _plain(_truths)),
    "BinaryEquals": (False, _plain(_ordered(values.binary, operator.eq))),
    "IpAddress": (False, _address),
    "NotIpAddress": (True, _address),
}
_OPERATORS |= {
    f"{kind}{order}": (negated, _plain(_ordered(read, compare)))
    for kind, read in (("Numeric", values.number), ("Date", values.moment))
    for order, (negated, compare) in _ORDERS.items()
}
NAMES = frozenset(_OPERATORS)
