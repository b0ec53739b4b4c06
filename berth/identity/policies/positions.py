"""Where in its text each statement of a policy stands, as the policy simulator tells it."""

from collections.abc import Iterator
from json import JSONDecoder
from typing import NamedTuple

_SPACE = " \t\n\r"
_VALUES = JSONDecoder()


class Position(NamedTuple):
    """Both count from 1."""

    line: int
    column: int


class Span(NamedTuple):
    """From what follows the colon, the bracket or the comma before a statement, to what follows its last brace."""

    start: Position
    end: Position


def statements(text: str) -> list[Span]:
    """The spans of the statements of a policy, whose text is a JSON object with such a member."""
    offsets: list[tuple[int, int]] = []
    for name, start, end in _members(text, _beyond(text, 0)):
        if name == "Statement":
            first = _beyond(text, start)
            offsets = list(_elements(text, first)) if text[first] == "[" else [(start, end)]
    return [Span(_position(text, start), _position(text, end)) for start, end in offsets]


def _members(text: str, brace: int) -> Iterator[tuple[str, int, int]]:
    """The name of each member of the object that begins there, and where its value begins and ends."""
    place = _beyond(text, brace + 1)
    while text[place] != "}":
        name, place = _VALUES.raw_decode(text, place)
        start = _beyond(text, place) + 1
        end = _end(text, start)
        yield name, start, end
        place = _beyond(text, end)
        if text[place] == ",":
            place = _beyond(text, place + 1)


def _elements(text: str, bracket: int) -> Iterator[tuple[int, int]]:
    """Where each element of the list that begins there begins and ends."""
    start = bracket + 1
    while text[_beyond(text, start)] != "]":
        end = _end(text, start)
        yield start, end
        place = _beyond(text, end)
        start = place + 1 if text[place] == "," else place


def _end(text: str, start: int) -> int:
    """Where the value ends that comes there."""
    _, end = _VALUES.raw_decode(text, _beyond(text, start))
    return end


def _beyond(text: str, place: int) -> int:
    """The first place from there on that is not white space."""
    while text[place] in _SPACE:
        place += 1
    return place


def _position(text: str, place: int) -> Position:
    before = text[:place]
    return Position(before.count("\n") + 1, place - before.rfind("\n"))
