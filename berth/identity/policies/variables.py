"""Policy variables: places in a text that are filled from the context of a request.

IAM user guide, "IAM policy elements: Variables and tags". What fills a place never counts as a wildcard, so that nobody
gains by a name or a tag with `*` in it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from berth.identity.policies.globs import Matcher, Pieces, matcher

# The condition keys of a request, in small letters. Several values stand in a tuple.
Context = Mapping[str, str | tuple[str, ...]]

# The version of the policy language that knows variables; to an older one they are plain text.
KNOWS_VARIABLES = "2012-10-17"
_PLACE = re.compile(r"\$\{([^{}]*)\}")
_WITH_DEFAULT = re.compile(r"'([^']*)'")
_WILDCARD = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`; the key in small letters, as keys are compared without regard to case."""

    key: str
    default: str | None

    def value(self, context: Context) -> str | None:
        """None: the variable cannot be resolved. A key with several values is no variable."""
        found = context.get(self.key)
        return found if isinstance(found, str) else self.default


class Escaped(str):
    """A character that stands for itself: `${*}`, `${?}` or `${$}`."""

    __slots__ = ()


Part = str | Variable


# Of each template: the values its variables had, and the matcher they gave.
_MOST_REMEMBERED = 64


class Template:
    """A text with variables in it; with `wildcards`, its own `*` and `?` are some, and `${*}` and `${?}` are not."""

    __slots__ = ("_matchers", "_pieces", "variables")

    def __init__(self, parts: list[Part], *, wildcards: bool) -> None:
        self._pieces = _in_pieces(parts) if wildcards else [[parts]]
        self._matchers: dict[tuple[str, ...], Matcher] = {}
        self.variables = tuple(part for part in parts if isinstance(part, Variable))

    def text(self, context: Context) -> str | None:
        """What a text without wildcards is in this request; None where one of its variables cannot be resolved."""
        values = self._values(context)
        return self._filled(values)[0][0] if values is not None else None

    def matcher(self, context: Context) -> Matcher | None:
        values = self._values(context)
        if values is None:
            return None
        known = self._matchers.get(values)
        if known is None:
            known = matcher(self._filled(values))
            if len(self._matchers) >= _MOST_REMEMBERED:
                self._matchers.clear()
            self._matchers[values] = known
        return known

    def _values(self, context: Context) -> tuple[str, ...] | None:
        found = []
        for variable in self.variables:
            value = variable.value(context)
            if value is None:
                return None
            found.append(value)
        return tuple(found)

    def _filled(self, values: tuple[str, ...]) -> Pieces:
        remaining = iter(values)
        return tuple(
            tuple("".join(part if isinstance(part, str) else next(remaining) for part in run) for run in piece)
            for piece in self._pieces
        )


def parts_of(text: str, version: str) -> list[Part]:
    """`text` taken apart at its variables."""
    if version != KNOWS_VARIABLES or "${" not in text:
        return [text]
    return list(_parts(text))


def _parts(text: str) -> Iterator[Part]:
    position = 0
    for place in _PLACE.finditer(text):
        yield text[position : place.start()]
        yield _place(place[1].strip()) or place[0]
        position = place.end()
    yield text[position:]


def _place(content: str) -> Part | None:
    """What stands between the braces; None: nothing that IAM knows, which is then plain text."""
    if content in {"*", "?", "$"}:
        return Escaped(content)
    key, comma, written = content.partition(",")
    default = _WITH_DEFAULT.fullmatch(written.strip())
    if not key.strip() or (comma and default is None):
        return None
    return Variable(key.strip().lower(), default[1] if default is not None else None)


def has_variables(parts: list[Part]) -> bool:
    return any(isinstance(part, Variable) for part in parts)


def _in_pieces(parts: list[Part]) -> list[list[list[Part]]]:
    pieces: list[list[list[Part]]] = [[[]]]
    for part in parts:
        if isinstance(part, Variable | Escaped):
            pieces[-1][-1].append(part)
            continue
        position = 0
        for wildcard in _WILDCARD.finditer(part):
            pieces[-1][-1].append(part[position : wildcard.start()])
            if wildcard[0] == "*":
                pieces.append([[]])
            else:
                pieces[-1].append([])
            position = wildcard.end()
        pieces[-1][-1].append(part[position:])
    return pieces
