"""Page tokens: where the next page begins, sealed to the listing that they were handed out for.

A token carries the key of the last row that the caller has, not a count, so what is created or deleted between two
pages neither repeats nor hides another row.
"""

from typing import Any, Protocol

import orjson

from berth.errors import InvalidParameter
from berth.names import Registry
from berth.sealing import SealBroken

# The members of requests that hold one, as ECR and as IAM call it.
TOKENS = frozenset({"nextToken", "Marker"})


class Sealer(Protocol):
    def close(self, plain: bytes, purpose: str) -> str: ...

    def open(self, sealed_text: str, purpose: str) -> bytes:
        """Raises SealBroken."""
        ...


class Pages:
    """The tokens of one listing: an operation on a registry with its filters."""

    def __init__(self, sealer: Sealer, operation: str, registry: Registry, **filters: Any) -> None:
        self._sealer = sealer
        chosen = orjson.dumps(filters, option=orjson.OPT_SORT_KEYS).decode()
        self._purpose = f"page token of {operation} in {registry.account}/{registry.region} where {chosen}"

    def token(self, last: Any) -> str:
        """The token of the page after the row whose key is `last` (any value that JSON has)."""
        return self._sealer.close(orjson.dumps(last), self._purpose)

    def after(self, token: str | None) -> Any:
        """The key that the page begins after; None for the first page. Raises InvalidParameter."""
        if token is None:
            return None
        try:
            return orjson.loads(self._sealer.open(token, self._purpose))
        except SealBroken as error:
            raise InvalidParameter("nextToken", "Invalid pagination token provided") from error
