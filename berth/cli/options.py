"""Every setting as a flag of every command, out of the one class that defines them."""

import sys
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from berth.networks.network import Network
from berth.networks.proxies import Networks
from berth.settings import Settings, SettingsInvalid, load
from berth.settings.durations import Duration
from berth.settings.faults import flag, variable

Command = Callable[..., None]

EPILOG = (
    "Every setting is a flag, a BERTH_… variable, or a line of berth.toml in this folder; the first of these counts."
)

METAVARS = {
    str(int): "NUMBER",
    str(bool): "true|false",
    str(float): "NUMBER",
    str(dict[str, str]): "JSON",
    str(dict[str, float]): "JSON",
    str(dict[str, Network]): "JSON",
    str(Networks): "NETWORKS",
    str(Duration): "DURATION",
}


def settings_flags(command: Callable[..., None]) -> Command:
    """Give `command` a flag for each setting, and call it with the Settings that come out as its first argument."""

    def run(**given: Any) -> None:
        own = {name: value for name, value in given.items() if name not in Settings.model_fields}
        flags = {name: value for name, value in given.items() if name in Settings.model_fields and value is not None}
        command(load_or_exit(**flags), **own)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for name, field in reversed(Settings.model_fields.items()):
        option = click.option(flag(name), name, metavar=_metavar(field), help=_help(name, field))
        run = option(run)
    return run


def load_or_exit(**flags: Any) -> Settings:
    try:
        return load(**flags)
    except SettingsInvalid as error:
        for line in str(error).splitlines():
            click.echo(f"berth: {line}", err=True)
        sys.exit(2)


def _metavar(field: FieldInfo) -> str:
    kinds = (field.annotation, *get_args(field.annotation))
    choices = next((kind for kind in kinds if get_origin(kind) is Literal), None)
    if choices is not None:
        return "|".join(get_args(choices))
    return METAVARS.get(str(field.annotation), "TEXT")


def _help(name: str, field: FieldInfo) -> str:
    # Where the default depends on something, the description says so.
    is_plain = field.default_factory is None and field.default not in (None, "", {}, ())
    default = (
        f"; default: {str(field.default).lower() if field.default is False else field.default}" if is_plain else ""
    )
    return f"{field.description}  [{variable(name)}{default}]"
