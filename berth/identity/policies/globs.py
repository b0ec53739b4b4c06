"""Patterns of IAM: `*` stands for any run of characters, also none, `?` for any one, all else for itself.

IAM user guide, "IAM JSON policy elements: Resource" and "Condition operators" (StringLike). In a resource `*` goes
beyond the colons of an ARN.
"""

from collections.abc import Callable

# Whether a pattern matches the whole of a text, in time linear in the text.
Matcher = Callable[[str], bool]
# The pieces between the `*`s, and of each piece the runs of plain characters between the `?`s.
Runs = tuple[str, ...]
Pieces = tuple[Runs, ...]


def matcher(pattern: Pieces) -> Matcher:
    """What most patterns are (a text, a prefix, a prefix and one more piece) has a short way of its own."""
    if any(len(piece) > 1 for piece in pattern):
        return _Glob(pattern).matches
    first, *others = (piece[0] for piece in pattern)
    if not others:
        return lambda text: text == first
    *inner, last = others
    if not last and not any(inner):
        return (lambda text: text.startswith(first)) if first else (lambda _: True)
    if not last and len(inner) == 1:
        (piece,), start = inner, len(first)
        return lambda text: text.startswith(first) and text.find(piece, start) >= 0
    return _Glob(pattern).matches


def glob(pattern: str) -> Matcher:
    return matcher(tuple(tuple(piece.split("?")) for piece in pattern.split("*")))


class _Glob:
    __slots__ = ("_first", "_inner", "_last", "_least")

    def __init__(self, pieces: Pieces) -> None:
        self._first, *inner = pieces
        self._last = inner.pop() if inner else None
        self._inner = [piece for piece in inner if piece != ("",)]
        self._least = _length(self._first) + (_length(self._last) if self._last is not None else 0)

    def matches(self, text: str) -> bool:
        if self._last is None:
            return len(text) == self._least and _fits(self._first, text, 0)
        end = len(text) - _length(self._last)
        if len(text) < self._least or not (_fits(self._first, text, 0) and _fits(self._last, text, end)):
            return False
        position = _length(self._first)
        for piece in self._inner:
            # The first place where a piece fits is always the best one, so nothing is ever tried twice.
            position = _after(piece, text, position, end)
            if position < 0:
                return False
        return True


def _length(runs: Runs) -> int:
    return sum(map(len, runs)) + len(runs) - 1


def _fits(runs: Runs, text: str, position: int) -> bool:
    for run in runs:
        if not text.startswith(run, position):
            return False
        position += len(run) + 1
    return True


def _after(runs: Runs, text: str, position: int, end: int) -> int:
    """Where the first place that fits ends, within `text[position:end]`; -1 where none does."""
    if len(runs) == 1:
        found = text.find(runs[0], position, end)
        return found + len(runs[0]) if found >= 0 else -1
    return _first_fit(runs, text, position, end)


def _first_fit(runs: Runs, text: str, position: int, end: int) -> int:
    """Shift-and: one bit for each character of the piece, set where the text before fits up to there."""
    anything, of_character = _masks(runs)
    accepted, states = 1 << (_length(runs) - 1), 0
    for index in range(position, end):
        states = ((states << 1) | 1) & (anything | of_character.get(text[index], 0))
        if states & accepted:
            return index + 1
    return -1


def _masks(runs: Runs) -> tuple[int, dict[str, int]]:
    """The places of the piece that take any character, and those that take each one."""
    anything, of_character, place = 0, dict[str, int](), 0
    for number, run in enumerate(runs):
        if number:
            anything |= 1 << place
            place += 1
        for character in run:
            of_character[character] = of_character.get(character, 0) | 1 << place
            place += 1
    return anything, of_character
