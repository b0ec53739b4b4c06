"""The rules of policies once more, as plainly as can be and as slowly: what the engine is compared to.

It shares no code with the engine. It takes the policies as they are written, each case as test_corpus has them.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Case = dict[str, Any]


class Unresolved(Exception):
    """A variable has no value."""


def decide(case: Case) -> str:
    every = [
        *listed(case, "identityPolicies"), *listed(case, "sessionPolicies"), *listed(case, "serviceControlPolicies"),
        *listed(case, "permissionsBoundary"), *listed(case, "repositoryPolicy"),
    ]  # fmt: skip
    if any(effects(case, policy, "Deny") for policy in every):
        return "ExplicitlyDenied"
    return "Allowed" if is_allowed(case) else "ImplicitlyDenied"


def is_allowed(case: Case) -> bool:
    account = case["principal"].split(":")[4]
    names = [name for policy in listed(case, "repositoryPolicy") for name in effects(case, policy, "Allow")]
    root = case["principal"].endswith(":root")
    own = root or allows(case, "identityPolicies")
    limits = all(
        allows(case, limit) for limit in ("permissionsBoundary", "sessionPolicies") if limit in case and not root
    )
    if "serviceControlPolicies" in case and not allows(case, "serviceControlPolicies"):
        return False
    if account != case["resourceAccount"]:
        return own and limits and bool(names)
    return "directly" in names or (limits and (own or "identity" in names))


def allows(case: Case, kind: str) -> bool:
    return any(effects(case, policy, "Allow") for policy in listed(case, kind))


def effects(case: Case, policy: dict[str, Any], effect: str) -> list[str]:
    """How closely each statement of that effect that counts names the caller."""
    variables = policy.get("Version") == "2012-10-17"
    counting = [
        statement
        for statement in listed(policy, "Statement")
        if statement["Effect"] == effect
        and is_about_action(case, statement)
        and is_about_resource(case, statement, variables)
        and all(
            condition_holds(case, operator, key, written if isinstance(written, list) else [written], variables)
            for operator, keys in statement.get("Condition", {}).items()
            for key, written in keys.items()
        )
    ]
    return [name for statement in counting if (name := naming(case, statement))]


def naming(case: Case, statement: dict[str, Any]) -> str:
    if "NotPrincipal" in statement:
        excepted = named(case, statement["NotPrincipal"]) and not (
            "permissionsBoundary" in case and statement["Effect"] == "Deny"
        )
        return "" if excepted else "directly"
    return named(case, statement["Principal"]) if "Principal" in statement else "directly"


def named(case: Case, principal: Any) -> str:
    if principal == "*" or "*" in listed(principal, "AWS"):
        return "directly"
    account, names = case["principal"].split(":")[4], listed(principal, "AWS")
    if case["principal"] in names and not case["principal"].endswith(":root"):
        return "directly"
    if case.get("sessionOf") in names:
        return "identity"
    return "account" if account in names or f"arn:aws:iam::{account}:root" in names else ""


def is_about_action(case: Case, statement: dict[str, Any]) -> bool:
    patterns = listed(statement, "Action") or listed(statement, "NotAction")
    found = any(like(pattern.lower(), case["action"].lower()) for pattern in patterns)
    return found if "Action" in statement else not found


def is_about_resource(case: Case, statement: dict[str, Any], variables: bool) -> bool:
    """An exception that cannot be resolved excepts all, a pattern that cannot be resolved means nothing."""

    def matches(pattern: str) -> bool:
        try:
            return bool(re.fullmatch(expression(case, pattern, variables), case["resource"], re.DOTALL))
        except Unresolved:
            return "NotResource" in statement

    if "NotResource" in statement:
        return not any(map(matches, listed(statement, "NotResource")))
    return any(map(matches, listed(statement, "Resource") or ["*"]))


def condition_holds(case: Case, operator: str, key: str, written: list[str], variables: bool) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    found = {known.lower(): value for known, value in case["context"].items()}.get(key.lower())
    several = found if isinstance(found, list) else [] if found is None else [found]
    if name == "Null":
        return ("false" if any(several) or isinstance(found, str) else "true") in [each.lower() for each in written]
    negated, name = "Not" in name, name.replace("Not", "", 1)
    if not several:
        return if_exists or quantifier == "ForAllValues" or (negated and not quantifier)
    if quantifier and not any(several):
        several = []
    try:
        verdicts = [
            any(compare(case, name, value, one, variables) for one in resolvable(case, written, name, variables))
            for value in several
        ]
    except Unresolved:
        return False
    if not quantifier:
        return any(verdicts) is not negated
    combine: Callable[[list[bool]], bool] = all if quantifier == "ForAllValues" else any
    return combine([verdict is not negated for verdict in verdicts])


def resolvable(case: Case, written: list[str], name: str, variables: bool) -> list[str]:
    """Raises Unresolved where any of the values is not."""
    if name.startswith(("String", "Arn")):
        for one in written:
            expression(case, one, variables)
    return written


def compare(case: Case, name: str, value: str, written: str, variables: bool) -> bool:
    if name in {"StringEquals", "StringEqualsIgnoreCase"}:
        flags = re.IGNORECASE if name.endswith("IgnoreCase") else re.NOFLAG
        return bool(re.fullmatch(expression(case, written, variables, wildcards=False), value, flags | re.DOTALL))
    if name == "StringLike":
        return bool(re.fullmatch(expression(case, written, variables), value, re.DOTALL))
    if name in {"ArnEquals", "ArnLike"}:
        patterns = expression(case, written.replace("${aws:", "${aws\0"), variables).split(":")
        return all(
            re.fullmatch(pattern, part, re.DOTALL) for pattern, part in zip(patterns, value.split(":", 5), strict=True)
        )
    if name == "Bool":
        return value.lower() == written.lower()
    if name == "IpAddress":
        return ipaddress.ip_address(value) in ipaddress.ip_network(written, strict=False)
    read: Callable[[str], float] = float if name.startswith("Numeric") else moment
    compared = name.removeprefix("Numeric").removeprefix("Date")
    left, right = read(value), read(written)
    return {
        "Equals": left == right,
        "LessThan": left < right,
        "LessThanEquals": left <= right,
        "GreaterThan": left > right,
        "GreaterThanEquals": left >= right,
    }[compared]


def moment(written: str) -> float:
    return datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def expression(case: Case, written: str, variables: bool, *, wildcards: bool = True) -> str:
    """The regular expression for a text with wildcards and variables."""
    keys = {key.lower(): value for key, value in case["context"].items()}
    out = ""
    for part in re.findall(r"\$\{[^{}]*\}|.", written, re.DOTALL):
        if variables and len(part) > 1:
            content = part[2:-1].strip().replace("\0", ":")
            key, comma, default = content.partition(",")
            value = keys.get(key.strip().lower())
            if content in {"*", "?", "$"}:
                out += re.escape(content)
            elif isinstance(value, str):
                out += re.escape(value)
            elif comma:
                out += re.escape(default.strip().strip("'"))
            else:
                raise Unresolved
        elif wildcards and part in {"*", "?"}:
            out += {"*": ".*", "?": "."}[part]
        else:
            out += re.escape(part)
    return out


def like(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL))


def listed(of: Any, member: str) -> list[Any]:
    value = of.get(member, []) if isinstance(of, dict) else []
    return value if isinstance(value, list) else [value]
