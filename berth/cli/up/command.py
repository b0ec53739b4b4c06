"""The story of `berth up`."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator

import click
from pydantic import SecretStr

from berth import logs
from berth.cli.holder import FolderUnusable, holding
from berth.cli.preparation import NotPrepared, prepare_root
from berth.cli.tables import migrate
from berth.cli.up import programs
from berth.cli.up.next_steps import next_steps
from berth.cli.up.ports import Ports
from berth.cli.up.progress import step
from berth.cli.up.supervisor import CannotStart, Supervisor
from berth.cli.version import VERSION
from berth.embedded import AccountMissing, Cluster, ClusterBroken
from berth.networks.tls import CertificateUnusable, server_context
from berth.settings import Settings
from berth.store.contract import StoreUnavailable
from berth.store.kinds import using_store


def run(settings: Settings) -> None:
    logs.configure(settings, "berth")
    click.echo(f"Berth {VERSION}, data in {settings.data.absolute()}")
    try:
        with holding(settings):
            # Layers are nobody else's business on this machine; the planes inherit it.
            os.umask(0o077)
            asyncio.run(_until_signal(settings))
    except (FolderUnusable, CannotStart, NotPrepared) as error:
        click.echo(f"berth: {error}", err=True)
        sys.exit(1)


async def _until_signal(settings: Settings) -> None:
    """Run everything until a signal says stop; a second one ends the patience with what is still busy."""
    supervisor = Supervisor()
    story = asyncio.create_task(_story(settings, supervisor))

    def on_signal() -> None:
        if story.done() or story.cancelling():
            supervisor.hurry()
        else:
            click.echo("\nstopping (once more to stop at once)")
            story.cancel()

    # SIGHUP: the terminal was closed.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await story
    finally:
        await supervisor.stop()
    click.echo("stopped")


async def _story(settings: Settings, supervisor: Supervisor) -> None:
    _check_certificate(settings)
    with step("store") as this:
        await _check_store(settings)
        this.outcome = str(settings.store_location)
    if settings.database_url is None:
        with step("PostgreSQL") as this:
            settings = await _start_postgres(settings, supervisor)
            this.outcome = "embedded, in the data folder"
    with step("tables") as this:
        this.outcome = ", ".join(await asyncio.to_thread(migrate, settings)) or "up to date"
    with step("root access key") as this:
        this.outcome = await prepare_root(settings)
    with _ports(settings) as (api, registry):
        with step("control plane, data plane, worker") as this:
            planes = [
                *programs.planes("controlplane", api, settings),
                *programs.planes("dataplane", registry, settings),
            ]
            started = supervisor.start(*planes, programs.worker(settings))
            await supervisor.until_ready(*started[: len(planes)])
            this.outcome = f"at {settings.api_url} and {settings.registry_url}"
        click.echo(next_steps(settings))
        await supervisor.until_ready(*started)
        await asyncio.Event().wait()


@contextlib.contextmanager
def _ports(settings: Settings) -> Iterator[tuple[Ports, Ports]]:
    """Of the API and the registry. Raises CannotStart."""
    with (
        Ports.open("api_listen", settings.api_listen) as api,
        Ports.open("registry_listen", settings.registry_listen, settings.registry_processes) as registry,
    ):
        yield api, registry


def _check_certificate(settings: Settings) -> None:
    if settings.tls_certificate is not None and settings.tls_key is not None:
        try:
            server_context(settings.tls_certificate, settings.tls_key)
        except CertificateUnusable as error:
            raise CannotStart(str(error)) from error


async def _start_postgres(settings: Settings, supervisor: Supervisor) -> Settings:
    """The settings with the address of the embedded PostgreSQL, once it answers."""
    cluster = Cluster(settings.data)
    try:
        await asyncio.to_thread(cluster.set_up)
    except (ClusterBroken, AccountMissing, OSError) as error:
        raise CannotStart(str(error)) from error
    await supervisor.until_ready(*supervisor.start(programs.postgres(cluster)))
    logs.hide(cluster.password)
    return settings.model_copy(update={"database_url": SecretStr(cluster.url)})


async def _check_store(settings: Settings) -> None:
    try:
        async with using_store(settings) as store:
            await store.check()
    except StoreUnavailable as error:
        raise CannotStart(f"cannot write to the store {settings.store_location} (BERTH_STORE): {error}") from error
