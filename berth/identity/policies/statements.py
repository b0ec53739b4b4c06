"""A statement of a policy, compiled: whether it is about an action, a resource, a principal, under its conditions."""

from collections.abc import Callable

from berth.identity.documents.policy import Statement
from berth.identity.policies import conditions
from berth.identity.policies.callers import Caller, Naming, Principals
from berth.identity.policies.conditions import Check
from berth.identity.policies.globs import Matcher, glob
from berth.identity.policies.variables import Context, Part, Template, Variable, parts_of

ResourceCheck = Callable[[str, Context], bool]
# A variable may stand behind the fifth colon of an ARN. IAM user guide, "Where you can use policy variables".
_COLONS = 5


class Rule:
    """`index` counts the statements of a document from 0."""

    __slots__ = (
        "_about",
        "_actions",
        "_not_actions",
        "_principals",
        "allows",
        "checks",
        "holds",
        "index",
        "names_exceptions",
        "sid",
    )

    def __init__(self, index: int, statement: Statement, version: str) -> None:
        self.index, self.sid = index, statement.sid
        self.allows = statement.effect == "Allow"
        self._actions = _globs(statement.actions)
        self._not_actions = _globs(statement.not_actions)
        # Of each condition, in the statement's order.
        self.checks = tuple(conditions.check(condition, version) for condition in statement.conditions)
        self._about = _resource(statement, version)
        # Whether it is about a resource, and all its conditions hold.
        self.holds = _holds(self._about, self.checks)
        named, not_named = statement.principals, statement.not_principals
        self.names_exceptions = bool(not_named)
        self._principals = Principals(named or not_named, negated=bool(not_named)) if named or not_named else None

    def is_about(self, action: str) -> bool:
        """`action` is in small letters."""
        if self._not_actions:
            return not any(matches(action) for matches in self._not_actions)
        return any(matches(action) for matches in self._actions)

    def is_about_resource(self, resource: str, context: Context) -> bool:
        return self._about is None or self._about(resource, context)

    def naming(self, caller: Caller) -> Naming:
        """How it names the caller; a statement without a Principal is about whoever has its policy."""
        return self._principals.naming(caller) if self._principals is not None else Naming.DIRECTLY


def _globs(patterns: tuple[str, ...]) -> list[Matcher]:
    return [glob(pattern.lower()) for pattern in patterns]


def _holds(about: ResourceCheck | None, checks: tuple[Check, ...]) -> ResourceCheck:
    """Both together, by the shortest way: this is what a decision spends its time on."""
    if about is None:
        if len(checks) == 1:
            (only,) = checks
            return lambda _, context: only(context)
        return lambda _, context: all(check(context) for check in checks)
    if not checks:
        return about
    if len(checks) == 1:
        (only,) = checks
        return lambda resource, context: about(resource, context) and only(context)
    return lambda resource, context: about(resource, context) and all(check(context) for check in checks)


def _resource(statement: Statement, version: str) -> ResourceCheck | None:
    """None: it is about every resource."""
    patterns = statement.not_resources or statement.resources
    negated = bool(statement.not_resources)
    if "*" in patterns and not negated:
        return None
    parts = [_with_variables_at_the_end(_complete(pattern), version) for pattern in patterns]
    templates = [(Template(each, wildcards=True), glob(f"{each[0]}*")) for each in parts]
    plain = [template.matcher({}) for template, _ in templates if not template.variables]
    return _check(
        [matches for matches in plain if matches is not None], [it for it in templates if it[0].variables], negated
    )


def _check(matchers: list[Matcher], templates: list[tuple[Template, Matcher]], negated: bool) -> ResourceCheck:
    """Each template stands with a matcher of what begins as it does before the fifth colon, where no variable is."""
    if not templates and len(matchers) == 1 and not negated:
        (only,) = matchers
        return lambda resource, _: only(resource)

    def check(resource: str, context: Context) -> bool:
        # A pattern that cannot be resolved matches nothing, and as an exception whatever begins like it.
        found = any(matches(resource) for matches in matchers)
        for template, begins in templates:
            matches = template.matcher(context)
            found = found or (matches(resource) if matches is not None else negated and begins(resource))
        return found is not negated

    return check


def _complete(pattern: str) -> str:
    """What an ARN lacks at its end is any (IAM user guide, "IAM identifiers"); a `*` goes that far by itself."""
    is_arn = pattern.startswith("arn:") and "*" not in pattern
    return pattern + ":*" * (_COLONS - pattern.count(":")) if is_arn else pattern


def _with_variables_at_the_end(pattern: str, version: str) -> list[Part]:
    start = 0
    for _ in range(_COLONS):
        start = pattern.find(":", start) + 1
        if not start:
            return [pattern]
    return [pattern[:start], *parts_of(pattern[start:], version)]


def variables(statement: Statement, version: str) -> set[str]:
    """The condition keys, in small letters, on which it depends whether the statement holds."""
    texts = [*statement.resources, *statement.not_resources]
    texts += [value for condition in statement.conditions for value in condition.values]
    parts = [part for text in texts for part in parts_of(text, version)]
    keys = {condition.key.lower() for condition in statement.conditions}
    return keys | {part.key for part in parts if isinstance(part, Variable)}
