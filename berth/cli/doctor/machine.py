"""What Berth needs of the machine: a folder of its own, room for layers, its two ports."""

import errno
import shutil
import socket
import stat

import psutil

from berth.cli.doctor.finding import Finding
from berth.cli.holder import holder
from berth.settings import Settings
from berth.settings.faults import unknown_variables, variable
from berth.store.contract import StoreUnavailable
from berth.store.kinds import using_store

GIB = 1 << 30
LEAST_FREE_BYTES = 2 * GIB


def settings_are_meant(settings: Settings) -> Finding:
    unknown = unknown_variables(type(settings).model_fields)
    if unknown:
        text = f"these variables set nothing: {', '.join(unknown)}"
        return Finding("settings", text, "correct or unset them; `berth up --help` lists all settings")
    given = sorted(settings.model_fields_set)
    return Finding("settings", f"given: {', '.join(given)}" if given else "all as by default")


def data_folder(settings: Settings) -> Finding:
    folder = settings.data.absolute()
    if not folder.exists():
        return Finding("data folder", f"{folder} does not exist", "`berth up` makes it; or set BERTH_DATA")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o066:
        text = f"{folder} can be listed or written to by others (mode {mode:o})"
        return Finding("data folder", text, f"chmod go-rw {folder}")
    running = holder(settings.data)
    return Finding("data folder", f"{folder}, " + (f"in use by {running}" if running else "not in use"))


async def store(settings: Settings) -> Finding:
    location, folder = settings.store_location, settings.store_folder
    try:
        async with using_store(settings) as store:
            await store.check()
    except StoreUnavailable as error:
        mend = "let this user write there, or set BERTH_STORE to another folder"
        if folder is None:
            mend = "correct BERTH_STORE and BERTH_S3_…, or what the bucket's policy allows: see docs/deployment.md"
        return Finding("store", f"{location}: {error}", mend)
    if folder is None:
        return Finding("store", f"{location} can be written to")
    free = shutil.disk_usage(folder).free
    text = f"{folder} can be written to, {free / GIB:.1f} GiB are free"
    return Finding("store", text, "make room: a push fails when there is none" if free < LEAST_FREE_BYTES else "")


def port(settings: Settings, setting: str) -> Finding:
    """Whether Berth listens there, or could."""
    address = getattr(settings, setting)
    thing = "API port" if setting == "api_listen" else "registry port"
    host, _, number = address.rpartition(":")
    taken = _why_not(host.strip("[]"), int(number))
    if taken is None:
        return Finding(thing, f"{address} is free")
    owner = _listener_on(int(number))
    if owner and owner.startswith("Berth"):
        return Finding(thing, f"{address}: {owner}")
    return Finding(thing, f"{address}: {taken}{f' by {owner}' if owner else ''}", f"set {variable(setting)} to another")


def _why_not(host: str, number: int) -> str | None:
    try:
        for family, kind, protocol, _, place in socket.getaddrinfo(host, number, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
    except OSError as error:
        return "it is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
    return None


def _listener_on(number: int) -> str | None:
    """Who listens there, where this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            is_there = connection.status == psutil.CONN_LISTEN and getattr(connection.laddr, "port", None) == number
            if is_there and connection.pid:
                process = psutil.Process(connection.pid)
                command = " ".join(process.cmdline())
                # `berth up` binds the ports, and hands them down to the planes.
                is_ours = any(part in command for part in ("-m controlplane", "-m dataplane", "berth up"))
                return f"{'Berth' if is_ours else process.name()}, process {process.pid}"
    except psutil.Error:
        return None
    return None
