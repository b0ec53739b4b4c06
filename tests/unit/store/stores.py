"""How tests write to a store and read from it, whatever its kind."""

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from berth.names import Digest, Registry
from berth.store.contract import Blob, Store, Written
from berth.store.moving import MovingStore
from berth.store.s3 import S3Store

REGISTRY = Registry("123456789012", "us-east-1")


def blob_of(content: bytes, algorithm: str = "sha256") -> Blob:
    return Blob(REGISTRY, Digest.of(content, algorithm))


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def upload(store: Store, *chunks: bytes) -> tuple[uuid.UUID, Written]:
    made = uuid.uuid4()
    async with store.claim(made) as draft:
        written = await draft.append(Written(), stream(*chunks))
    assert written.size == sum(map(len, chunks))
    return made, written


async def complete(store: Store, made: uuid.UUID, written: Written, blob: Blob) -> None:
    async with store.claim(made) as draft:
        await draft.prepare(written, blob)
        await draft.place(written, blob)
    await settle(store)


async def put(store: Store, content: bytes, algorithm: str = "sha256") -> Blob:
    blob = blob_of(content, algorithm)
    await complete(store, *await upload(store, content), blob)
    return blob


async def content_of(store: Store, blob: Blob) -> bytes:
    return b"".join([chunk async for chunk in store.read(blob)])


async def settle(store: Store) -> None:
    """Wait for what the store does after it answered."""
    for one in vars(store).values() if isinstance(store, MovingStore) else [store]:
        if isinstance(one, S3Store):
            await one.cleaned()


@dataclass
class Kind:
    """A kind of store: each place is one, and a place may be opened by several processes."""

    name: str
    open_at: Callable[[str], Store]
    opened: list[Store] = field(default_factory=list)

    def open(self, place: str = "store") -> Store:
        self.opened.append(self.open_at(place))
        return self.opened[-1]
