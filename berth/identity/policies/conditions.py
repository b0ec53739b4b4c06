"""A condition of a statement, with its set operator, its IfExists and Null, as a check of a request's context.

IAM user guide, "IAM JSON policy elements: Condition", "Multivalued context keys".
"""

from collections.abc import Callable

from berth.identity.documents.policy import Condition
from berth.identity.policies.operators import Comparison, Test, comparison
from berth.identity.policies.variables import Context

Check = Callable[[Context], bool]
Values = str | tuple[str, ...]


def check(condition: Condition, version: str) -> Check:
    """`condition` of a policy of that language version.

    A value with a variable that has no value in the request matches nothing, so that a negated operator holds. IAM user
    guide, "Policy variables with no value".
    """
    key = condition.key.lower()
    if condition.operator == "Null":
        return _null(key, condition.values)
    compared = comparison(condition.operator, condition.values, version)
    holds = _HOLDS[condition.quantifier]
    missing = _holds_without_the_key(condition, compared)
    if compared.test is not None:
        return _same_in_every_request(key, compared.test, compared.negated, holds, missing)
    return _with_variables(key, compared, holds, missing)


_Holds = Callable[[Values, Test, bool], bool]


def _same_in_every_request(key: str, test: Test, negated: bool, holds: _Holds, missing: bool) -> Check:
    plainly = holds is _holds_of_one and not negated

    def same(context: Context) -> bool:
        value = context.get(key)
        if value is None or value == ():
            return missing
        return test(value) if plainly and isinstance(value, str) else holds(value, test, negated)

    return same


def _with_variables(key: str, compared: Comparison, holds: _Holds, missing: bool) -> Check:
    bind, negated = compared.bind, compared.negated

    def with_variables(context: Context) -> bool:
        value = context.get(key)
        if value is None or value == ():
            return missing
        return bind is not None and holds(value, bind(context), negated)

    return with_variables


def _holds_without_the_key(condition: Condition, compared: Comparison) -> bool:
    """What the condition is where the request has no such key; ForAnyValue fails then, also with IfExists."""
    if condition.quantifier is not None:
        return condition.quantifier == "ForAllValues"
    return condition.if_exists or compared.negated


def _holds_of_one(value: Values, test: Test, negated: bool) -> bool:
    """Without a set operator, any one of several values counts, and a negated operator says that none does."""
    if isinstance(value, str):
        return test(value) is not negated
    return any(map(test, value)) is not negated


def _holds_of_all(value: Values, test: Test, negated: bool) -> bool:
    """True of no values, and of an empty text, which is no value here, says the user guide."""
    return all(test(one) is not negated for one in _several(value))


def _holds_of_any(value: Values, test: Test, negated: bool) -> bool:
    return any(test(one) is not negated for one in _several(value))


def _several(value: Values) -> tuple[str, ...]:
    several = (value,) if isinstance(value, str) else value
    return several if any(several) else ()


_HOLDS: dict[str | None, _Holds] = {None: _holds_of_one, "ForAllValues": _holds_of_all, "ForAnyValue": _holds_of_any}


def _null(key: str, values: tuple[str, ...]) -> Check:
    """`true`: the key is not there, `false`: it is. Several values without any text in them are as good as none."""
    wanted = {value.lower() == "true" for value in values if value.lower() in {"true", "false"}}

    def null(context: Context) -> bool:
        value = context.get(key)
        return (value is None or (isinstance(value, tuple) and not any(value))) in wanted

    return null
