"""The settings of a process, from wherever they were given."""

import tomllib
from typing import Any

from pydantic import ValidationError

from berth.networks.places import NetworksInvalid, Places
from berth.settings.faults import TOML_FILE, SettingsInvalid, explain
from berth.settings.settings import Settings


def load(**given: Any) -> Settings:
    """The settings of this process; those `given` (its flags) come first.

    Raises SettingsInvalid, which names every setting at fault, and never tells the value of a secret one.
    """
    try:
        settings = Settings(**given)
        # It reads files, and says what is wrong with them.
        Places(settings.networks)
    except ValidationError as error:
        raise SettingsInvalid(explain(error, given, Settings.model_fields)) from None
    except NetworksInvalid as error:
        raise SettingsInvalid(str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{TOML_FILE}: {error}") from None
    except OSError as error:
        raise SettingsInvalid(f"{TOML_FILE}: {error.strerror}") from None
    return settings
