"""What a policy says: statements that allow or deny actions to principals under conditions. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamedPrincipal:
    """Someone a statement names: `kind` is AWS, Service, Federated or CanonicalUser; `*` of kind AWS is everybody.

    IAM user guide, "AWS JSON policy elements: Principal".
    """

    kind: str
    name: str


EVERYBODY = NamedPrincipal("AWS", "*")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: the `key` of the request against `values`, of which one must match (numbers and booleans as text).

    `operator` is as IAM names it, such as `StringLike`, without its prefix, which is `quantifier` (`ForAllValues`,
    `ForAnyValue` or none), and its suffix `IfExists`, which is `if_exists`.
    IAM user guide, "IAM JSON policy elements: Condition operators".
    """

    quantifier: str | None
    operator: str
    if_exists: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One of each pair is there, the other is empty: what is meant, or what is all that is not meant.

    Actions have their wildcards (`*`, `?`) and are compared without regard to case. All `conditions` must hold.
    """

    sid: str | None
    effect: str
    principals: tuple[NamedPrincipal, ...]
    not_principals: tuple[NamedPrincipal, ...]
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """`version` is the version of the policy language, 2008-10-17 where the document names none."""

    version: str
    id: str | None
    statements: tuple[Statement, ...]
