"""Every setting of Berth, in one class: flags before `BERTH_…` variables before `berth.toml` before the defaults."""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from berth.names import NameInvalid, Registry

TOML_FILE = "berth.toml"


class SettingsInvalid(Exception):
    """The settings do not hold together; the text names each one that is at fault."""


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"'{text}' is not HOST:PORT, such as localhost:4500")
    return text


def _host_pattern(text: str) -> str:
    if any(c in text for c in "/ ?#@"):
        raise ValueError(f"'{text}' is not a host name with {{account}} and {{region}} in it, or a plain host")
    if ("{account}" in text) != ("{region}" in text):
        raise ValueError(f"'{text}' must hold both {{account}} and {{region}}, or neither (path style)")
    return text


Listen = Annotated[str, AfterValidator(_listen)]


class Settings(BaseSettings):
    """Where Berth keeps its data, where it listens, and who it is."""

    model_config = SettingsConfigDict(
        env_prefix="BERTH_",
        toml_file=TOML_FILE,
        extra="forbid",
        frozen=True,
        cli_kebab_case=True,
        cli_implicit_flags=True,
    )

    data: Path = Field(Path(".berth"), description="folder of the embedded database, the layers and the master key")
    api_listen: Listen = Field("localhost:4500", description="HOST:PORT of the API (ECR, STS, IAM)")
    registry_listen: Listen = Field("localhost:5500", description="HOST:PORT of the registry (docker push and pull)")
    database_url: SecretStr | None = Field(
        None, description="postgresql://USER:PASSWORD@HOST/DATABASE; without it Berth runs its own PostgreSQL"
    )
    store: str = Field("", description="where the layers are kept: file:///FOLDER (default: the folder `store` in data)")
    account_id: str = Field("000000000000", description="the account of the default registry, 12 digits")
    region: str = Field("us-east-1", description="the region of the default registry")
    root_access_key_id: str | None = Field(None, description="access key of the account's root (made at first start)")
    root_secret_access_key: SecretStr | None = Field(None, description="its secret (made at first start)")
    master_key: SecretStr | None = Field(
        None, description="32 bytes in base64 that seal the secrets in the database (default: the file master.key in data)"
    )
    registry_host: Annotated[str, AfterValidator(_host_pattern)] = Field(
        "", description="host name of a registry, such as {account}.dkr.ecr.{region}.example.com (default: path style)"
    )
    registry_scheme: Literal["http", "https"] = Field("http", description="how clients reach the registry")
    registry_aliases: dict[str, str] = Field({}, description='more host names: {"images.example.com": "ACCOUNT/REGION"}')
    upload_expiry_hours: int = Field(24, ge=1, le=720, description="an upload that nobody touched for so long goes away")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug also logs each request")
    log_format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, JSON elsewhere")

    @field_validator("registry_aliases")
    @classmethod
    def _aliases_name_registries(cls, value: dict[str, str]) -> dict[str, str]:
        for host, registry in value.items():
            account, _, region = registry.partition("/")
            try:
                Registry.parse(account, region)
            except NameInvalid as error:
                raise ValueError(f"{host}: {error}; write ACCOUNT/REGION") from error
        return {host.lower(): registry for host, registry in value.items()}

    @field_validator("account_id")
    @classmethod
    def _account_id_has_12_digits(cls, value: str) -> str:
        return Registry.parse(value, "us-east-1").account

    @field_validator("region")
    @classmethod
    def _region_is_a_region(cls, value: str) -> str:
        return Registry.parse("000000000000", value).region

    @field_validator("store")
    @classmethod
    def _store_is_a_folder(cls, value: str) -> str:
        url = urlsplit(value)
        if value and (url.scheme != "file" or url.netloc or not url.path):
            raise ValueError(f"'{value}' is not file:///FOLDER")
        return value

    @property
    def registry(self) -> Registry:
        """The default registry: the one that path style names without a prefix."""
        return Registry(self.account_id, self.region)

    @property
    def store_folder(self) -> Path:
        return Path(urlsplit(self.store).path) if self.store else self.data.absolute() / "store"

    @property
    def api_url(self) -> str:
        host, _, port = self.api_listen.rpartition(":")
        return f"http://{'localhost' if host in ('0.0.0.0', '[::]', '::') else host}:{port}"  # noqa: S104

    @property
    def registry_address(self) -> str:
        """The host (and port) under which path style reaches the registry."""
        if self.registry_host and "{" not in self.registry_host:
            return self.registry_host
        host, _, port = self.registry_listen.rpartition(":")
        return f"{'localhost' if host in ('0.0.0.0', '[::]', '::') else host}:{port}"  # noqa: S104

    def environment(self) -> dict[str, str]:
        """The variables that give another process of this Berth the same settings."""
        variables: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None or value == "":
                continue
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            variables[f"BERTH_{name.upper()}"] = json.dumps(value) if isinstance(value, dict) else str(value)
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


def load(**given: Any) -> Settings:
    """The settings of this process. Raises SettingsInvalid, which names every setting at fault."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsInvalid(explain(error)) from None


def explain(error: ValidationError) -> str:
    """One line for each setting at fault, by the name that its user gave it; never its value."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else "settings"
        if fault["type"] == "extra_forbidden":
            lines.append(f"{TOML_FILE}: there is no setting named '{name}'")
        else:
            where = f"BERTH_{name.upper()}" if f"BERTH_{name.upper()}" in os.environ else name
            lines.append(f"{where}: {fault['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)
