"""Tags as a file declares them: their keys differ by more than their case. Pure."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from berth.identity.declared.steps import Step, step
from berth.identity.directory import tags

Change = Callable[..., Awaitable[Any]]


def steps(
    what: str, before: Mapping[str, str], wanted: Mapping[str, str], add: Change, remove: Change, *place: str
) -> Iterator[Step]:
    """`add` and `remove` are functions of the directory, which take `place` and the tags, or their keys."""
    for key, value in wanted.items():
        if before.get(key) != value:
            yield step("~", f"{what}: tag {key} = {value}", add, *place, {key: value})
    for key in tags.without(before, wanted):
        yield step("-", f"{what}: tag {key}", remove, *place, [key])
