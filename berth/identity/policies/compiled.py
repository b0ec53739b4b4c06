"""Policies as they are asked: compiled documents, and sets of them with what is about an action at hand."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from berth.identity.documents.policy import PolicyDocument
from berth.identity.policies import statements
from berth.identity.policies.statements import ResourceCheck, Rule

# Of the documents that are kept compiled, which takes some 20 bytes for a character, and 45 at worst.
MOST_CHARACTERS = 2_000_000
# Actions of which a set remembers its rules: ECR has fewer; who simulates may ask about any.
_MOST_ACTIONS = 128

Parse = Callable[[str], PolicyDocument]


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


class Shelf:
    """Compiled documents by their text, the latest used; bounded by the characters of all texts together."""

    def __init__(self, most_characters: int) -> None:
        self.characters = 0
        self._most = most_characters
        self._kept: OrderedDict[tuple[str, Parse], Compiled] = OrderedDict()

    def get(self, text: str, parse: Parse) -> Compiled:
        found = self._kept.get((text, parse))
        if found is not None:
            self._kept.move_to_end((text, parse))
            return found
        new = Compiled(parse(text))
        self._kept[text, parse] = new
        self.characters += len(text)
        while self.characters > self._most:
            (oldest, _), _ = self._kept.popitem(last=False)
            self.characters -= len(oldest)
        return new


_SHELF = Shelf(MOST_CHARACTERS)


def compiled(text: str, parse: Parse) -> Compiled:
    """The policy that `text` is by `parse` (such as `identity_document.parse`), compiled once.

    Raises what `parse` raises.
    """
    return _SHELF.get(text, parse)
