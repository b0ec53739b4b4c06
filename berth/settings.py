"""Every setting of Berth, in one class: flags before `BERTH_…` variables before `berth.toml` before the defaults."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from berth.durations import Duration, parse_duration
from berth.names import NameInvalid, Registry
from berth.networks.named import Network, Places
from berth.networks.proxies import Networks, parse_networks
from berth.setting_faults import TOML_FILE, SettingsInvalid, explain, variable
from berth.store.location import Location, parse_location
from berth.throttling.rates import operations

__all__ = ["Settings", "SettingsInvalid", "load"]

_KEY_ID = re.compile(r"\w{3,128}")
_LEAST_SECRET = 8
MOST_PROCESSES_BY_DEFAULT = 4
_MOST_A_SECOND = 1_000_000
# The settings that are JSON in a variable, and a table in the file.
_JSON = {
    "registry_aliases": '{"images.example.com": "ACCOUNT/REGION"}',
    "networks": '{"office": {"cidrs": ["10.1.0.0/16"], "vpc": "vpc-1", "vpce": "vpce-1"}}',
    "throttling_rates": '{"PutImage": 100, "BatchGetImage": 0}',
}


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"'{text}' is not HOST:PORT, such as localhost:4500")
    return text


def _here(listen: str) -> str:
    """How this machine calls the HOST:PORT that it listens at."""
    host, _, port = listen.rpartition(":")
    return f"{'localhost' if host in ('0.0.0.0', '[::]', '::') else host}:{port}"  # noqa: S104


def _host_pattern(text: str) -> str:
    if any(c in text for c in "/ ?#@"):
        raise ValueError(f"'{text}' is not a host name with {{account}} and {{region}} in it, or a plain host")
    if ("{account}" in text) != ("{region}" in text):
        raise ValueError(f"'{text}' must hold both {{account}} and {{region}}, or neither (path style)")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{0,64}", text):
        raise ValueError(f"'{text[:64]}' is not the name of a header, such as X-Vpc-Endpoint")
    return text


def _endpoint(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s/?#@]+", text):
        raise ValueError(f"'{text}' is not http://HOST or https://HOST, perhaps with a port, and nothing after it")
    return text


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _database_url(url: SecretStr | None) -> SecretStr | None:
    # What the text is must not be told: it holds a password.
    if url is not None and not re.fullmatch(r"postgres(ql)?://[^\s/]*/\S+", url.get_secret_value()):
        raise ValueError("it is not postgresql://USER:PASSWORD@HOST/DATABASE")
    return url


Listen = Annotated[str, AfterValidator(_listen)]


class Settings(BaseSettings):
    """Where Berth keeps its data, where it listens, and who it is."""

    model_config = SettingsConfigDict(
        env_prefix="BERTH_",
        toml_file=TOML_FILE,
        # `BERTH_X=` in a shell or a compose file means that X is not set.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    data: Path = Field(Path(".berth"), description="folder of the embedded database, the layers and the master key")
    api_listen: Listen = Field("localhost:4500", description="HOST:PORT of the API (ECR, STS, IAM)")
    registry_listen: Listen = Field("localhost:5500", description="HOST:PORT of the registry (docker push and pull)")
    registry_processes: int = Field(
        default_factory=lambda: min(_cores(), MOST_PROCESSES_BY_DEFAULT),
        ge=1,
        le=64,
        description="how many processes serve the registry under `berth up` (default: one for each core, at most 4)",
    )
    max_connections: int = Field(
        1000, ge=16, le=100_000, description="connections of one process; beyond, the longest idle one is closed"
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file of a certificate and its chain: API and registry speak TLS"
    )
    tls_key: Path | None = Field(None, description="PEM file of the certificate's key")
    trusted_proxies: Annotated[Networks, NoDecode, BeforeValidator(parse_networks)] = Field(
        (), description="addresses and networks of the proxies whose X-Forwarded-For, -Proto and -Host count"
    )
    allowed_networks: Annotated[Networks, NoDecode, BeforeValidator(parse_networks)] = Field(
        (), description="private networks in which Berth may ask OIDC providers for their keys (public ones it may ask)"
    )
    outgoing_ca: Path | None = Field(
        None, description="PEM file of certificate authorities that OIDC providers' certificates may be of, too"
    )
    networks: Annotated[dict[str, Network], NoDecode] = Field(
        {}, description="networks by name, with the VPC endpoints that they stand for, and those endpoints' policies"
    )
    vpc_endpoint_header: Annotated[str, AfterValidator(_header)] = Field(
        "", description="the header in which trusted proxies tell the VPC endpoint that a client came through"
    )
    api_proxy_protocol: bool = Field(
        False, description="trusted proxies, and nobody else, connect to the API by the PROXY protocol"
    )
    registry_proxy_protocol: bool = Field(False, description="the same for the registry")
    api_endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(
        "", description="URL of the API for clients, such as https://api.example.com (default: where it listens)"
    )
    database_url: Annotated[SecretStr | None, AfterValidator(_database_url)] = Field(
        None, description="postgresql://USER:PASSWORD@HOST/DATABASE; without it Berth runs its own PostgreSQL"
    )
    store: str = Field(
        "", description="where the layers are kept: file:///FOLDER or s3://BUCKET/PREFIX (default: `store` in data)"
    )
    store_also: str = Field(
        "", description="where layers are read from that store does not have, while `berth store migrate` moves them"
    )
    s3_endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(
        "", description="http(s)://HOST of the S3-compatible server (default: Amazon's own)"
    )
    s3_public_endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(
        "", description="http(s)://HOST of the same server as clients reach it (default: s3_endpoint)"
    )
    s3_region: str = Field("", description="the bucket's region (default: the registry's)")
    s3_access_key_id: str | None = Field(
        None, description="access key for the bucket (default: what AWS's tools find: variables, files, roles)"
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="its secret")
    s3_pulls: Literal["redirect", "proxy"] = Field(
        "redirect", description="clients fetch layers from the bucket by a redirect, or through Berth"
    )
    account_id: str = Field("000000000000", description="the account of the default registry, 12 digits")
    region: str = Field("us-east-1", description="the region of the default registry")
    root_access_key_id: str | None = Field(None, description="access key of the account's root (made at first start)")
    root_secret_access_key: SecretStr | None = Field(None, description="its secret (made at first start)")
    master_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64 that seal the secrets in the database (default: the file master.key in data)",
    )
    registry_host: Annotated[str, AfterValidator(_host_pattern)] = Field(
        "", description="host name of a registry, such as {account}.dkr.ecr.{region}.example.com (default: path style)"
    )
    registry_scheme: Literal["http", "https"] | None = Field(
        None, description="how clients reach the registry (default: https with tls_certificate, http without)"
    )
    registry_aliases: Annotated[dict[str, str], NoDecode] = Field(
        {}, description='more host names: {"images.example.com": "ACCOUNT/REGION"}'
    )
    throttling: Literal["on", "off"] = Field(
        "on", description="whether an account may ask no more than ECR's documented rates"
    )
    throttling_factor: float = Field(1.0, gt=0, le=1_000_000, description="these rates are multiplied by it")
    throttling_rates: Annotated[dict[str, float], NoDecode] = Field(
        {}, description='other rates, in requests a second; 0 is none: {"PutImage": 100, "BatchGetImage": 0}'
    )
    wrong_credentials: int = Field(
        60,
        ge=0,
        le=1_000_000,
        description="so many wrong credentials an address may send in a minute before it is slowed; 0: any number",
    )
    upload_expiry_hours: int = Field(
        24, ge=1, le=720, description="an upload that nobody touched for so long goes away"
    )
    recovery_window: Annotated[Duration, PlainValidator(parse_duration)] = Field(
        Duration(hours=24),
        description="for so long a deleted image can be restored, such as 90m, 24h, 7d; 0: not at all",
    )
    layer_expiry: Annotated[Duration, PlainValidator(parse_duration)] = Field(
        Duration(hours=24), description="a pushed layer that no image came to need goes away after so long"
    )
    audit_days: int = Field(
        7, ge=0, le=3653, description="for so many days it is kept what was asked and decided; 0: not at all"
    )
    collection_minutes: int = Field(1, ge=1, le=1440, description="how often the worker collects what nobody needs")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug also logs each request")
    log_format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, JSON elsewhere")

    @field_validator(*_JSON, mode="before")
    @classmethod
    def _tables_may_come_as_json(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"it is not JSON such as {_JSON[info.field_name or '']}") from error

    @field_validator("throttling_rates")
    @classmethod
    def _rates_are_of_operations(cls, value: dict[str, float]) -> dict[str, float]:
        for operation, rate in value.items():
            if operation not in operations():
                raise ValueError(f"there is no operation of ECR named '{operation[:100]}'")
            if not 0 <= rate <= _MOST_A_SECOND:
                raise ValueError(f"the rate of {operation} must be a number from 0 to {_MOST_A_SECOND}")
        return value

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

    @field_validator("store", "store_also")
    @classmethod
    def _store_is_somewhere(cls, value: str) -> str:
        if value:
            parse_location(value)
        return value

    @model_validator(mode="after")
    def _s3_key_is_whole(self) -> Self:
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise ValueError("s3_access_key_id and s3_secret_access_key: give both, or neither")
        return self

    @field_validator("root_access_key_id")
    @classmethod
    def _key_id_is_one(cls, value: str | None) -> str | None:
        if value is not None and not _KEY_ID.fullmatch(value):
            raise ValueError("it is not an access key id: 3 to 128 letters and digits")
        return value

    @field_validator("root_secret_access_key")
    @classmethod
    def _secret_is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _LEAST_SECRET:
            raise ValueError(f"it is shorter than {_LEAST_SECRET} characters")
        return value

    @model_validator(mode="after")
    def _root_key_is_whole(self) -> Self:
        if (self.root_access_key_id is None) != (self.root_secret_access_key is None):
            raise ValueError("root_access_key_id and root_secret_access_key: give both, or neither")
        return self

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key: give both, or neither")
        return self

    @model_validator(mode="after")
    def _proxies_are_named(self) -> Self:
        for name in ("api_proxy_protocol", "registry_proxy_protocol"):
            if getattr(self, name) and not self.trusted_proxies:
                raise ValueError(f"{name}: name the proxies that may connect in trusted_proxies")
        if self.vpc_endpoint_header and not self.trusted_proxies:
            raise ValueError("vpc_endpoint_header: name the proxies that are believed in trusted_proxies")
        return self

    @property
    def registry(self) -> Registry:
        """The default registry: the one that path style names without a prefix."""
        return Registry(self.account_id, self.region)

    @property
    def store_location(self) -> Location:
        """Where what is pushed is kept."""
        return parse_location(self.store) if self.store else self.data.absolute() / "store"

    @property
    def store_folder(self) -> Path | None:
        """The same, where it is a folder."""
        return self.store_location if isinstance(self.store_location, Path) else None

    @property
    def api_url(self) -> str:
        """Where the control plane answers on this machine."""
        return f"{self._scheme}://{_here(self.api_listen)}"

    @property
    def registry_url(self) -> str:
        """Where the data plane answers on this machine."""
        return f"{self._scheme}://{_here(self.registry_listen)}"

    @property
    def registry_public_scheme(self) -> str:
        """How clients reach the registry: "http" or "https"."""
        return self.registry_scheme or self._scheme

    @property
    def _scheme(self) -> str:
        return "https" if self.tls_certificate else "http"

    @property
    def registry_address(self) -> str:
        """The host (and port) under which path style reaches the registry."""
        if self.registry_host and "{" not in self.registry_host:
            return self.registry_host
        return _here(self.registry_listen)

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
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{TOML_FILE}: {error}") from None
    except OSError as error:
        raise SettingsInvalid(f"{TOML_FILE}: {error.strerror}") from None
    return settings
