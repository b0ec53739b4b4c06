"""A store as far away as a bucket: what removes a blob is sent, and arrives at any time after, or too late."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from berth.store.contract import Blob, Confirm, Store, StoreUnavailable
from tests.collection.stepping import stop


@dataclass(eq=False)
class Request:
    """Signed before it is confirmed, and refused where it arrives when it has expired."""

    blob: Blob
    is_expired: bool = False


class LateStore:
    """Implements berth.store.contract.Store by another one; an answer comes when the request arrived."""

    settles_after = timedelta(minutes=10)

    def __init__(self, store: Store) -> None:
        self._store = store
        # Not expired; and of these, on their way.
        self.signed: list[Request] = []
        self.sent: list[Request] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def remove(self, blob: Blob, confirm: Confirm | None = None) -> None:
        request = Request(blob)
        self.signed.append(request)
        await stop("signed")
        if confirm is not None:
            await confirm()
        await stop("about to remove")
        self.sent.append(request)
        await stop("sent")
        await self.arrive(request)
        await stop("removed")
        if request.is_expired:
            raise StoreUnavailable("the request has expired")

    async def arrive(self, request: Request) -> None:
        if request in self.sent:
            self.sent.remove(request)
            if not request.is_expired:
                await self._store.remove(request.blob)

    def expire(self) -> None:
        """So much time has passed that what was signed before is refused."""
        for request in self.signed:
            request.is_expired = True
        self.signed.clear()
