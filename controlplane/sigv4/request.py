"""A request as it came over the wire, of which every byte counts for its signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from controlplane.wire.faults import IncompleteSignature


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire: the path and the query string undecoded, the headers in their order."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes | bytearray

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """The headers' values by name in small letters."""
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found

    def field(self, name: str) -> str | None:
        """The value of a header that may be given once. Raises IncompleteSignature."""
        values = self.fields.get(name, [])
        if len(values) > 1:
            raise IncompleteSignature(f"The header '{name}' is given more than once")
        return values[0] if values else None
