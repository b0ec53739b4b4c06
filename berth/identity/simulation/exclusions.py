"""Policies that a simulation leaves out, to see what would be without them. Pure.

IAM API reference, "SimulatePrincipalPolicy", `PolicyExclusionList`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from berth.errors.iam import InvalidInput
from berth.identity.policies.globs import glob
from berth.identity.simulation.policies import Source, Sources

# Wildcards may stand in the name, one `*` at most.
_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/([!-)+->@-~]+/)*[\w+=,.@?*-]+", re.ASCII)

_Check = Callable[[Source], bool]


def without(sources: Sources, excluded: Iterable[Mapping[str, Any]]) -> Sources:
    """The policies but those that the members of the list name. Raises InvalidInput."""
    checks: list[_Check] = []
    types: set[str] = set()
    for identifier in excluded:
        if len(identifier) != 1:
            raise InvalidInput("A policy identifier must have exactly one member.")
        if "PolicyType" in identifier:
            types.add(identifier["PolicyType"])
        elif "PolicyArn" in identifier:
            checks.append(_of_arn(identifier["PolicyArn"]))
        else:
            checks.append(_inline(identifier["InlinePolicyIdentifier"]))
    left = [source for source in sources.identity if not (_type(source) in types or any(it(source) for it in checks))]
    return replace(
        sources,
        identity=left,
        boundary=None if "permission-boundary" in types else sources.boundary,
        control=() if "scp" in types else sources.control,
    )


def _type(source: Source) -> str:
    return "inline" if source.holder is not None else source.kind


def _of_arn(arn: str) -> _Check:
    if not _ARN.fullmatch(arn) or arn.count("*") > 1:
        raise InvalidInput(f"ARN {arn} is not valid.")
    matches = glob(arn)
    return lambda source: source.holder is None and matches(source.name)


def _inline(identifier: Mapping[str, str]) -> _Check:
    named = tuple(identifier[member] for member in ("PolicyName", "AttachmentType", "AttachmentName"))
    return lambda source: (source.name, source.kind, source.holder) == named
