"""A bounded memory of what was found in the database, each finding about subjects that may change."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from berth.changes import moments
from berth.changes.ear import Ear

Value = TypeVar("Value")

# What an entry costs beside its value: its key, its place in two dictionaries.
ENTRY_BYTES = 512


@dataclass(slots=True)
class _Entry(Generic[Value]):
    value: Value
    size: int
    subjects: tuple[str, ...]
    places: tuple[int, ...]
    since: int


class Cache(Generic[Value]):
    """Findings of at most `most_bytes` in all; those that were not asked for longest go first.

        moment = cache.moment
        found = await …
        cache.keep(key, found, subject=…, size=len(…), since=moment)

    So that a finding which a change has overtaken on its way is never kept. While the ear does not hear, nothing is
    given and nothing kept.
    """

    def __init__(self, ear: Ear, most_bytes: int) -> None:
        self._ear = ear
        self._most_bytes = most_bytes
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._of_subject: dict[str, set[Hashable]] = {}
        self.bytes = 0
        ear.on_change(self._forget)

    @property
    def moment(self) -> int:
        """To be noted before that is asked for which is to be kept."""
        return moments.now()

    def get(self, key: Hashable) -> Value | None:
        if not self._ear.is_hearing:
            return None
        entry = self._entries.get(key)
        if entry is None:
            return None
        for place in entry.places:
            if not self._ear.is_current(place, entry.since):
                return None
        self._entries.move_to_end(key)
        return entry.value

    def keep(self, key: Hashable, value: Value, *, subject: str | tuple[str, ...], size: int, since: int) -> None:
        """Keep what was found after the moment `since`; `size` in bytes. Of several subjects, any may change."""
        size += ENTRY_BYTES
        subjects = (subject,) if isinstance(subject, str) else subject
        places = tuple(moments.place_of(each) for each in subjects)
        if size > self._most_bytes or not self._ear.is_hearing:
            return
        if not all(self._ear.is_current(place, since) for place in places):
            return
        self._drop(key)
        self._entries[key] = _Entry(value, size, subjects, places, since)
        for each in subjects:
            self._of_subject.setdefault(each, set()).add(key)
        self.bytes += size
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    def _forget(self, subject: str | None) -> None:
        if subject is None:
            self._entries.clear()
            self._of_subject.clear()
            self.bytes = 0
            return
        for key in list(self._of_subject.get(subject, ())):
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= entry.size
        for subject in entry.subjects:
            keys = self._of_subject[subject]
            keys.discard(key)
            if not keys:
                del self._of_subject[subject]
