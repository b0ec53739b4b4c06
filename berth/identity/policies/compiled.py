"""Policies as they are asked: compiled documents, and sets of them with what is about an action at hand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from berth.identity.policies import statements
from berth.identity.policies.statements import ResourceCheck, Rule
from berth.identity.policy import PolicyDocument

# Documents that are kept compiled: some 10 KiB each.
MOST_COMPILED = 4096
# Actions of which a set remembers its rules: ECR has fewer; who simulates may ask about any.
_MOST_ACTIONS = 128


class Kind(StrEnum):
    """The kinds of policies, as SimulatePrincipalPolicy and AWS's texts tell them apart."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    ENDPOINT = "VPC endpoint policy"


class Compiled:
    """A policy document, ready to be asked."""

    __slots__ = ("document", "keys", "rules")

    def __init__(self, document: PolicyDocument) -> None:
        self.document = document
        self.rules = tuple(
            Rule(index, statement, document.version) for index, statement in enumerate(document.statements)
        )
        of_each = (statements.variables(statement, document.version) for statement in document.statements)
        # The condition keys, in small letters, that its statements look at.
        self.keys = frozenset[str]().union(*of_each)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with the name people know it by: an ARN, or the name of an inline policy."""

    name: str
    compiled: Compiled


class Ruling(NamedTuple):
    policy: Policy
    rule: Rule


@dataclass(frozen=True, slots=True)
class AboutAction:
    """The statements about an action, each behind its `holds`, which is all that most of them are asked."""

    denying: tuple[tuple[ResourceCheck, Ruling], ...]
    allowing: tuple[tuple[ResourceCheck, Ruling], ...]

    def every(self) -> tuple[Ruling, ...]:
        return tuple(ruling for _, ruling in (*self.denying, *self.allowing))


class Policies:
    """The policies of one kind that apply together; made once for a principal or a resource, and kept with it."""

    __slots__ = ("_by_action", "kind", "policies")

    def __init__(self, kind: Kind, policies: Iterable[Policy]) -> None:
        self.kind = kind
        self.policies = tuple(policies)
        self._by_action: dict[str, AboutAction] = {}

    def about(self, action: str) -> AboutAction:
        """What they say about an action; remembered."""
        found = self._by_action.get(action)
        if found is None:
            found = self._find(action.lower())
            if len(self._by_action) >= _MOST_ACTIONS:
                self._by_action.clear()
            self._by_action[action] = found
        return found

    def _find(self, action: str) -> AboutAction:
        every = (Ruling(policy, rule) for policy in self.policies for rule in policy.compiled.rules)
        found = [(ruling.rule.holds, ruling) for ruling in every if ruling.rule.is_about(action)]
        return AboutAction(
            denying=tuple(each for each in found if not each[1].rule.allows),
            allowing=tuple(each for each in found if each[1].rule.allows),
        )


@lru_cache(maxsize=MOST_COMPILED)
def compiled(text: str, parse: Callable[[str], PolicyDocument]) -> Compiled:
    """The policy that `text` is by `parse`, compiled once. Raises what `parse` raises."""
    return Compiled(parse(text))
