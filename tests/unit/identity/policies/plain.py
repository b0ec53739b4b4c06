"""The rules of policies once more, as plainly as can be and as slowly: what the engine is compared to.

It shares no code with the engine. It takes the policies as they are written, each case as test_corpus has them.
"""

import re
from typing import Any

from tests.unit.identity.policies import plain_conditions

Case = dict[str, Any]


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
            plain_conditions.holds(case["context"], operator, key, written, variables=variables)
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
    """An exception that cannot be resolved excepts all in its region and account, a pattern means nothing then."""

    def matches(pattern: str) -> bool:
        try:
            wanted = plain_conditions.expression(case["context"], complete(pattern), variables=variables)
            return bool(re.fullmatch(wanted, case["resource"], re.DOTALL))
        except plain_conditions.Unresolved:
            return "NotResource" in statement and like(":".join(pattern.split(":", 5)[:5]) + ":*", case["resource"])

    if "NotResource" in statement:
        return not any(map(matches, listed(statement, "NotResource")))
    return any(map(matches, listed(statement, "Resource") or ["*"]))


def complete(pattern: str) -> str:
    """An ARN with fewer than six fields is as good as one with `*` in those that it lacks."""
    fields = pattern.split(":")
    return ":".join(fields + ["*"] * (6 - len(fields))) if fields[0] == "arn" and "*" not in pattern else pattern


def like(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(plain_conditions.plain_pattern(pattern), text, re.DOTALL))


def listed(of: Any, member: str) -> list[Any]:
    value = of.get(member, []) if isinstance(of, dict) else []
    return value if isinstance(value, list) else [value]
