"""`python -m berth.workers`: the worker, with the settings of its BERTH_… variables."""

import asyncio
import logging
import sys
from typing import NoReturn

from berth import logs
from berth.settings import SettingsInvalid, load
from berth.workers.process import run

# sysexits.h, EX_CONFIG: to start again without a change of settings is of no use.
EXIT_CONFIGURATION = 78


def main() -> None:
    try:
        settings = load()
    except SettingsInvalid as error:
        _fail(str(error))
    if settings.database_url is None:
        _fail("BERTH_DATABASE_URL: the worker needs it (`berth up` gives it)")
    logs.configure(settings, "worker")
    # A lost connection is told once, by us, without four tracebacks; a job that failed is told by procrastinate.
    for name in ("procrastinate", "procrastinate.worker.berth", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("procrastinate.worker").setLevel(logging.ERROR)
    asyncio.run(run(settings, settings.database_url.get_secret_value()))


def _fail(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)  # noqa: T201
    sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    main()
