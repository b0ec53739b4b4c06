"""`/healthz`: the process runs. `/readyz`: what it needs is there, so that requests may come."""

import asyncio
import time

from aiohttp import web

from berth.database import revision
from berth.database.db import Database, DatabaseUnavailable
from berth.store.contract import Store, StoreUnavailable
from listener.requests import expect

DATABASE = web.AppKey("database", Database)
STORE = web.AppKey("store", Store)

# However often it is asked, the check is made once in so many seconds, and in no more time.
CHECK_SECONDS = 1.0
CHECK_TIMEOUT_SECONDS = 5.0


class Readiness:
    """Checks what the plane needs, and remembers the finding for a moment."""

    def __init__(self, database: Database, store: Store | None) -> None:
        self._database = database
        self._store = store
        self._needed = revision.needed()
        self._checked_at = float("-inf")
        self._finding: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def finding(self) -> dict[str, str]:
        """Of each thing needed "ok", or what is wrong with it."""
        async with self._lock:
            if time.monotonic() - self._checked_at > CHECK_SECONDS:
                self._finding = await self._check()
                self._checked_at = time.monotonic()
            return self._finding

    async def missing(self) -> str:
        """What is not there, for people; nothing where all is."""
        finding = await self.finding()
        return ", ".join(f"{thing}: {state}" for thing, state in finding.items() if state != "ok")

    async def _check(self) -> dict[str, str]:
        finding = {"database": "ok", "migrations": "ok"}
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                applied = await revision.applied(self._database)
            if applied != self._needed:
                finding["migrations"] = f"at {applied or 'none'}, but {self._needed} is needed: run `berth migrate`"
        except (DatabaseUnavailable, TimeoutError):
            finding = {"database": "does not answer", "migrations": "unknown"}
        if self._store is not None:
            finding["store"] = await _check_store(self._store)
        return finding


async def _check_store(store: Store) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await store.check()
    except (StoreUnavailable, TimeoutError) as error:
        return str(error) or "does not answer"
    return "ok"


async def healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    finding = await request.app[READINESS].finding()
    is_ready = all(value == "ok" for value in finding.values())
    return web.json_response({"status": "ok" if is_ready else "not ready", **finding}, status=200 if is_ready else 503)


READINESS = web.AppKey("readiness", Readiness)


def add_health(app: web.Application) -> None:
    app.router.add_get("/healthz", healthz, expect_handler=expect)
    app.router.add_get("/readyz", readyz, expect_handler=expect)

    async def prepare(app: web.Application) -> None:
        app[READINESS] = Readiness(app[DATABASE], app.get(STORE))

    app.on_startup.append(prepare)
