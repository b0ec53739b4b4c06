"""Texts of the language of a pattern: the shortest, one of a length that is asked for, and any."""

import itertools
import random
import re
import string
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

_PARSER: Any = re._parser  # type: ignore[attr-defined]
_CODES: Any = re._constants  # type: ignore[attr-defined]
_REPEATS = (_CODES.MAX_REPEAT, _CODES.MIN_REPEAT)
_VISIBLE = string.ascii_lowercase + string.ascii_uppercase + string.digits + string.punctuation
# How much more than its least a repeat has in a text at random.
_MORE = 3

# Given the least and the most, how often a part is repeated; given how many, which of the alternatives is taken.
_Count = Callable[[Any, int, int], int]
_Choose = Callable[[int], int]


class Language:
    """The texts that the whole of a pattern matches, as Java reads it: its classes are those of ASCII."""

    def __init__(self, pattern: str) -> None:
        self._tree = _PARSER.parse(pattern, re.ASCII)
        self._compiled = re.compile(pattern, re.ASCII)
        self._alternatives = max(_widths(self._tree), default=1)

    def __contains__(self, text: str) -> bool:
        return self._compiled.fullmatch(text) is not None

    def shortest(self) -> str:
        return min((self._plain(alternative, 0, []) for alternative in range(self._alternatives)), key=len)

    def of_length(self, length: int) -> str | None:
        """A text of so many characters, where repeating one of its characters makes one; else None."""
        for alternative, floor in itertools.product(range(self._alternatives), (0, 1)):
            stretchable: list[Any] = []
            plain = self._plain(alternative, floor, stretchable)
            missing = length - len(plain)
            if missing == 0:
                return plain
            for part in stretchable if missing > 0 else []:
                text = self._plain(alternative, floor, [], part, missing)
                if text in self and len(text) == length:
                    return text
        return None

    def any(self, chance: random.Random) -> str:
        """A text at random, with no part repeated many times."""
        return self._write(
            self._tree,
            lambda _, least, most: chance.randint(least, min(most, least + _MORE)),
            lambda number: chance.randrange(number),
            lambda pool: chance.choice(pool),
        )

    def _plain(self, alternative: int, floor: int, seen: list[Any], stretched: Any = None, by: int = 0) -> str:
        """The shortest text of an alternative in which every part is there `floor` times at least.

        The parts of one character that may be repeated come into `seen`; that which is `stretched` is there `by` times
        more.
        """

        def count(part: Any, least: int, most: int) -> int:
            if len(part[2]) == 1 and part[2][0][0] in (_CODES.IN, _CODES.LITERAL):
                seen.append(part)
            return min(max(least, floor), most) + (by if part is stretched else 0)

        return self._write(self._tree, count, self._first(alternative), lambda pool: pool[0])

    @staticmethod
    def _first(alternative: int) -> _Choose:
        """Takes that alternative, or the last one where there are fewer."""
        return lambda number: min(alternative, number - 1)

    def _write(self, tree: Any, count: _Count, choose: _Choose, pick: Callable[[str], str]) -> str:
        written = []
        for code, given in tree:
            if code is _CODES.LITERAL:
                written.append(chr(given))
            elif code in (_CODES.IN, _CODES.CATEGORY):
                written.append(pick(_pool(tuple(given))))
            elif code is _CODES.SUBPATTERN:
                written.append(self._write(given[-1], count, choose, pick))
            elif code is _CODES.BRANCH:
                written.append(self._write(given[1][choose(len(given[1]))], count, choose, pick))
            elif code in _REPEATS:
                least, most, body = given
                times = count(given, least, int(most))
                written += [self._write(body, count, choose, pick) for _ in range(times)]
            else:
                assert code is _CODES.AT, f"{code} is not known here"
        return "".join(written)


@cache
def language(pattern: str) -> Language:
    return Language(pattern)


def _widths(tree: Any) -> Iterator[int]:
    """Of all the choices in a pattern, between how many each is."""
    for code, given in tree:
        if code is _CODES.BRANCH:
            yield len(given[1])
            for branch in given[1]:
                yield from _widths(branch)
        elif code is _CODES.SUBPATTERN:
            yield from _widths(given[-1])
        elif code in _REPEATS:
            yield from _widths(given[2])


@cache
def _pool(members: tuple[Any, ...]) -> str:
    """The visible characters of a class."""
    negated = members[0][0] is _CODES.NEGATE
    pool = "".join(c for c in _VISIBLE if any(_holds(one, c) for one in members) != negated)
    assert pool, f"nothing visible is in {members}"
    return pool


def _holds(member: tuple[Any, Any], character: str) -> bool:
    code, given = member
    if code is _CODES.LITERAL:
        return bool(ord(character) == given)
    if code is _CODES.RANGE:
        return bool(given[0] <= ord(character) <= given[1])
    classes = {_CODES.CATEGORY_WORD: r"\w", _CODES.CATEGORY_NOT_SPACE: r"\S", _CODES.CATEGORY_DIGIT: r"\d"}
    return bool(code is _CODES.CATEGORY and re.fullmatch(classes[given], character, re.ASCII))
