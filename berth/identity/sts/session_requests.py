"""What is asked of a new session beside whose it is: its policies, tags and length, checked as STS checks them. Pure.

STS API reference, "AssumeRole"; IAM user guide, "Pass session tags in AWS STS", "Monitor and control actions taken with
assumed roles".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from berth.errors import AccessDenied
from berth.errors.iam import ValidationError
from berth.errors.sts import InvalidParameterValue, PackedPolicyTooLarge
from berth.identity.documents import identity_document
from berth.identity.principals import Kind, Principal, Session
from berth.identity.sts import sessions

DEFAULT_SECONDS = 3600
MOST_CHAINED_SECONDS = 3600
# STS API reference, "AssumeRole", `Policy`, `PolicyArns` and `Tags`.
_MOST_CHARACTERS = 2048
_MOST_ARNS = 10
_MOST_TAGS = 50
_POLICY_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::(aws|[0-9]{12}):policy/([!-~]+/)?[\w+=,.@-]{1,128}", re.ASCII)

Tag = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`name` is the session's. `seconds` is None where it is left to the default.

    `with_second_factor`: the caller gave a code of its MFA device with the request.
    """

    name: str
    seconds: int | None = None
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    with_second_factor: bool = False

    @property
    def policies(self) -> tuple[str, ...]:
        return () if self.policy is None else (self.policy,)


def check_policies(wanted: Wanted) -> int | None:
    """The part, in percent, of the room that there is for policies and tags; None where there are none.

    Raises MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError.
    """
    if len(wanted.policy_arns) > _MOST_ARNS:
        raise ValidationError(
            f"1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length "
            f"less than or equal to {_MOST_ARNS}"
        )
    for arn in wanted.policy_arns:
        if not _POLICY_ARN.fullmatch(arn):
            raise ValidationError(f"ARN {arn[:200]} is not valid.")
    characters = sum(map(len, (*wanted.policies, *wanted.policy_arns)))
    if characters > _MOST_CHARACTERS:
        raise PackedPolicyTooLarge(-(-100 * characters // _MOST_CHARACTERS))
    if wanted.policy is not None:
        identity_document.parse(wanted.policy)
    percent = sessions.packed_percent(wanted.policies, wanted.policy_arns, wanted.tags)
    if percent is not None and percent > 100:
        raise PackedPolicyTooLarge(percent)
    return percent


def inherited(wanted: Wanted, caller: Principal) -> Wanted:
    """With what a chain of roles hands on: the caller's transitive tags and its source identity.

    Raises InvalidParameterValue, AccessDenied.
    """
    session = caller.session
    if session is None:
        return wanted
    transitive = set(session.transitive_tag_keys)
    handed_on = tuple(tag for tag in session.tags if tag[0] in transitive)
    if _folded(key for key, _ in handed_on) & _folded(key for key, _ in wanted.tags):
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
            "the calling session."
        )
    source = session.source_identity
    if source is not None and wanted.source_identity not in (None, source):
        raise AccessDenied("The source identity of the calling session cannot be changed.")
    with_those = replace(
        wanted,
        tags=(*handed_on, *wanted.tags),
        transitive_tag_keys=(*session.transitive_tag_keys, *wanted.transitive_tag_keys),
        source_identity=source if source is not None else wanted.source_identity,
    )
    check_tags(with_those)
    return with_those


def check_tags(wanted: Wanted) -> None:
    """Raises InvalidParameterValue."""
    keys = [key for key, _ in wanted.tags]
    if len(keys) > _MOST_TAGS:
        raise InvalidParameterValue(f"The number of tags must be less than or equal to {_MOST_TAGS}.")
    if len(_folded(keys)) < len(keys):
        raise InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise InvalidParameterValue("Tag keys must not start with aws: .")
    if not set(wanted.transitive_tag_keys) <= set(keys):
        raise InvalidParameterValue("The specified transitive tag key must be included in the requested tags.")


def length(wanted: Wanted, caller: Principal | None, most: int | None) -> int:
    """How long the session of a role lasts, in seconds; `most` is what the role says. Raises ValidationError."""
    seconds = DEFAULT_SECONDS if wanted.seconds is None else wanted.seconds
    if caller is not None and caller.kind is Kind.ROLE_SESSION and seconds > MOST_CHAINED_SECONDS:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > (DEFAULT_SECONDS if most is None else most):
        raise ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return seconds


def session(wanted: Wanted, now: int, seconds: int, provider: str | None = None) -> Session:
    """What is asked for, as it is sealed into the credentials."""
    return Session(
        issued_at=now,
        expires_at=now + seconds,
        policies=wanted.policies,
        policy_arns=wanted.policy_arns,
        tags=wanted.tags,
        transitive_tag_keys=wanted.transitive_tag_keys,
        source_identity=wanted.source_identity,
        provider=provider,
    )


def condition_keys(wanted: Wanted) -> dict[str, str | tuple[str, ...]]:
    """The condition keys that a request fills (service authorization reference, "AWS Security Token Service")."""
    filled: dict[str, str | tuple[str, ...]] = {"sts:rolesessionname": wanted.name}
    if wanted.seconds is not None:
        filled["sts:durationseconds"] = str(wanted.seconds)
    if wanted.source_identity is not None:
        filled["sts:sourceidentity"] = wanted.source_identity
    if wanted.transitive_tag_keys:
        filled["sts:transitivetagkeys"] = wanted.transitive_tag_keys
    if wanted.with_second_factor:
        # Of this request alone: the role's session says nothing of it (IAM user guide, "Secure API access with MFA").
        filled |= {"aws:multifactorauthpresent": "true", "aws:multifactorauthage": "0"}
    return filled


def actions(main: str, wanted: Wanted) -> Sequence[str]:
    """The actions that it takes: `main`, and those of tags and of a source identity, its own or handed on."""
    of_tags = ["sts:TagSession"] if wanted.tags else []
    of_source = ["sts:SetSourceIdentity"] if wanted.source_identity is not None else []
    return [main, *of_tags, *of_source]


def _folded(keys: Iterable[str]) -> set[str]:
    return {key.lower() for key in keys}
