"""What is wrong with the settings, said by the names that their user gave them, without the value of a secret."""

import difflib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

TOML_FILE = "berth.toml"


class SettingsInvalid(Exception):
    """The settings do not hold together; the text names each one that is at fault, one a line."""


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    return f"BERTH_{name.upper()}"


def explain(error: ValidationError, flags: Mapping[str, Any], names: Iterable[str]) -> str:
    """One line for each setting at fault: as a flag, a variable or in the file, wherever it came from."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        reason = _reason(fault["msg"])
        if not fault["loc"]:
            lines.append(reason)
            continue
        name = str(fault["loc"][0])
        if fault["type"] == "extra_forbidden":
            lines.append(f"{TOML_FILE}: there is no setting named '{name}'{_meant(name, names)}")
        elif name in flags:
            lines.append(f"{flag(name)}: {reason}")
        elif os.environ.get(variable(name)):
            lines.append(f"{variable(name)}: {reason}")
        else:
            lines.append(f"{TOML_FILE}: {name}: {reason}")
    return "\n".join(lines)


def unknown_variables(names: Iterable[str]) -> list[str]:
    """The BERTH_… variables that set nothing, each with what may have been meant."""
    known = {variable(name): name for name in names}
    unknown = [name for name in os.environ if name.startswith("BERTH_") and name not in known]
    return [f"{name}{_meant(name, known)}" for name in sorted(unknown)]


def _reason(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[0].lower() + text[1:]


def _meant(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return f"; is it '{near[0]}'?" if near else ""
