"""A plane as a process: it serves until a signal says stop."""

import asyncio
import resource
import signal
import sys
from typing import NoReturn

import structlog

from berth import logs
from berth.networks.sockets import AddressUnusable, bind
from berth.networks.tls import CertificateUnusable
from berth.settings import Settings, SettingsInvalid, load
from listener import launch
from listener.certificates import certificate_of
from listener.health import READINESS
from listener.launch import Launch
from listener.limits import DRAIN_SECONDS
from listener.serving import MakeApp, Taking, made, serving

log = structlog.get_logger()

# sysexits.h, EX_CONFIG: to start again without a change of settings is of no use.
EXIT_CONFIGURATION = 78


def serve(module: str, setting: str, make_app: MakeApp) -> None:
    """Run the plane `module` at the address in its `setting` (of Settings) until SIGTERM or SIGINT; then drain."""
    launched = launch.read(module, sys.argv[1:])
    try:
        settings = load()
    except SettingsInvalid as error:
        _refuse(str(error))
    if settings.database_url is None:
        _refuse(f"BERTH_DATABASE_URL: the {module} needs it (`berth up` gives it)")
    logs.configure(settings, launched.name)
    _allow_descriptors()
    try:
        asyncio.run(_serve(settings, setting, make_app, launched))
    except AddressUnusable as error:
        log.error(f"{error}; choose another by BERTH_{setting.upper()}")  # noqa: TRY400
        sys.exit(EXIT_CONFIGURATION)
    except CertificateUnusable as error:
        log.error(str(error))  # noqa: TRY400
        sys.exit(EXIT_CONFIGURATION)


def _refuse(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)  # noqa: T201
    sys.exit(EXIT_CONFIGURATION)


def _allow_descriptors() -> None:
    """Take what the system lets this process have: most give 1,024 where nobody asks."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(settings: Settings, setting: str, make_app: MakeApp, launched: Launch) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    certificate = certificate_of(settings)
    if certificate is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, certificate.refresh)
    app = await made(make_app, settings)
    taking = Taking(
        launched.sockets or bind(getattr(settings, setting)),
        certificate,
        is_proxied=getattr(settings, setting.replace("_listen", "_proxy_protocol")),
        share=launched.share,
    )
    async with serving(app, settings, taking):
        log.info("listening", address=getattr(settings, setting))
        telling = asyncio.create_task(launched.tell(app[READINESS]))
        await stop.wait()
        telling.cancel()
        log.info("stopping: finishing the requests under way", at_most_seconds=DRAIN_SECONDS)
    log.info("stopped")
