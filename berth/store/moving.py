"""A store that is on its way from one place to another: `berth store migrate` carries the blobs over meanwhile."""

import contextlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from berth.store.contract import Blob, Confirm, Draft, Redirect, Store, UploadLost, Written


class MovingStore:
    """Implements berth.store.contract.Store on two: what comes goes to `store`; what is not there, `also` has."""

    def __init__(self, store: Store, also: Store) -> None:
        self._store = store
        self._also = also

    @property
    def settles_after(self) -> timedelta:
        return max(self._store.settles_after, self._also.settles_after)

    async def check(self) -> None:
        await self._store.check()

    async def size(self, blob: Blob) -> int | None:
        size = await self._store.size(blob)
        return await self._also.size(blob) if size is None else size

    async def locate(self, blob: Blob) -> Path | Redirect | None:
        return await (await self._having(blob)).locate(blob)

    async def read(self, blob: Blob, first: int = 0, last: int | None = None) -> AsyncGenerator[bytes, None]:
        async for chunk in (await self._having(blob)).read(blob, first, last):
            yield chunk

    async def _having(self, blob: Blob) -> Store:
        return self._also if await self._store.size(blob) is None else self._store

    async def remove(self, blob: Blob, confirm: Confirm | None = None) -> None:
        await self._store.remove(blob, confirm)
        await self._also.remove(blob, confirm)

    async def blobs(self) -> AsyncGenerator[Blob, None]:
        """The same as in the contract, but for those that both have, which come twice."""
        for store in (self._store, self._also):
            async for blob in store.blobs():
                yield blob

    @contextlib.asynccontextmanager
    async def claim(self, upload: uuid.UUID) -> AsyncIterator["MovingDraft"]:
        async with contextlib.AsyncExitStack() as stack:
            draft = await stack.enter_async_context(self._store.claim(upload))
            yield MovingDraft(draft, stack, self._also.claim(upload))

    async def abandon(self, upload: uuid.UUID) -> None:
        await self._store.abandon(upload)
        await self._also.abandon(upload)

    async def stale_uploads(self, older_than_seconds: float) -> list[uuid.UUID]:
        stale = await self._store.stale_uploads(older_than_seconds)
        return [*{*stale, *await self._also.stale_uploads(older_than_seconds)}]

    async def close(self) -> None:
        await self._store.close()
        await self._also.close()


class MovingDraft:
    """An upload goes on where it began."""

    def __init__(
        self, draft: Draft, stack: contextlib.AsyncExitStack, also: AbstractAsyncContextManager[Draft]
    ) -> None:
        self._draft = draft
        self._stack = stack
        self._also: AbstractAsyncContextManager[Draft] | None = also

    async def append(self, written: Written, chunks: AsyncIterator[bytes]) -> Written:
        try:
            return await self._draft.append(written, chunks)
        except UploadLost:
            # Which it tells before it takes a byte.
            return await (await self._other()).append(written, chunks)

    async def prepare(self, written: Written, blob: Blob) -> None:
        try:
            await self._draft.prepare(written, blob)
        except UploadLost:
            await (await self._other()).prepare(written, blob)

    async def place(self, written: Written, blob: Blob) -> None:
        await self._draft.place(written, blob)

    async def _other(self) -> Draft:
        """The other store's draft, from now on this one. Raises UploadLost where it is that already."""
        if self._also is None:
            raise UploadLost("neither store has the upload")
        self._draft, self._also = await self._stack.enter_async_context(self._also), None
        return self._draft
