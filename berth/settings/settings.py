"""Every setting of Berth, in one class: flags before `BERTH_…` variables before `berth.toml` before the defaults."""

import json
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from berth.settings.faults import TOML_FILE, variable
from berth.settings.limits import Limits
from berth.settings.listening import Listening, here
from berth.settings.registries import Registries
from berth.settings.storage import Storage


class Settings(Limits, Registries, Listening, Storage, BaseSettings):
    """Where Berth keeps its data, where it listens, who it is, and how much it takes."""

    model_config = SettingsConfigDict(
        env_prefix="BERTH_",
        toml_file=TOML_FILE,
        # `BERTH_X=` in a shell or a compose file means that X is not set.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug also logs each request")
    log_format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, JSON elsewhere")

    @property
    def registry_public_scheme(self) -> str:
        """How clients reach the registry: "http" or "https"."""
        return self.registry_scheme or self._scheme

    @property
    def registry_address(self) -> str:
        """The host (and port) under which path style reaches the registry."""
        if self.registry_host and "{" not in self.registry_host:
            return self.registry_host
        return here(self.registry_listen)

    def environment(self) -> dict[str, str]:
        """The variables that give another process of this Berth the same settings."""
        variables: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None or value == "" or value == ():
                continue
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            if isinstance(value, dict):
                value = json.dumps(value, default=lambda model: model.model_dump(mode="json", exclude_none=True))
            elif isinstance(value, tuple):
                value = ",".join(map(str, value))
            variables[variable(name)] = str(value)
        return variables

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
