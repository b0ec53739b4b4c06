"""What nobody needs any more goes away, minute by minute."""

import structlog
from procrastinate import JobContext

from berth import collection
from berth.collection import Collected, StoreOfAnother, Windows
from berth.store.contract import StoreUnavailable
from berth.workers.tools import tools_of

log = structlog.get_logger()

# What is left then, the next minute's job goes on with; so collection takes no more than one of the worker's places.
SECONDS = 50.0


async def collect_garbage(context: JobContext, timestamp: int) -> None:
    tools = tools_of(context)
    if timestamp // 60 % tools.settings.collection_minutes:
        return
    try:
        collected = await collection.collect(tools.database, tools.store, Windows.of(tools.settings), at_most=SECONDS)
    except StoreUnavailable as error:
        log.warning("collection stopped; it goes on with the next one", reason=str(error))
        return
    if collected:
        log.info("collected what nobody needs", **summary(collected))


async def sweep_store(context: JobContext, timestamp: int) -> None:
    del timestamp
    tools = tools_of(context)
    try:
        await collection.check_is_ours(tools.database, tools.store)
    except StoreOfAnother as error:
        log.error(  # noqa: TRY400
            "nothing is taken for garbage: is this the database of this store? If it is, say `berth collect --sweep`",
            reason=str(error),
        )
        return
    found = await collection.sweep(tools.database, tools.store)
    if found:
        log.warning("the store has blobs that the database did not know of; they are collected", blobs=found)


def summary(collected: Collected) -> dict[str, float]:
    return {
        "images": collected.images,
        "layers": collected.layers,
        "blobs": collected.blobs,
        "bytes": collected.bytes,
        "seconds": round(collected.seconds, 2),
    }
