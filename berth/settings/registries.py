"""Which registry is the default one, whose it is, and by which hosts it and others are called."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from berth.names import NameInvalid, Registry
from berth.settings.forms import HostPattern, check_both_or_neither, from_json

_KEY_ID = re.compile(r"\w{3,128}")
_LEAST_SECRET = 8


class Registries(BaseModel):
    account_id: str = Field("000000000000", description="the account of the default registry, 12 digits")
    region: str = Field("us-east-1", description="the region of the default registry")
    root_access_key_id: str | None = Field(None, description="access key of the account's root (made at first start)")
    root_secret_access_key: SecretStr | None = Field(None, description="its secret (made at first start)")
    master_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64 that seal the secrets in the database (default: the file master.key in data)",
    )
    registry_host: HostPattern = Field(
        "", description="host name of a registry, such as {account}.dkr.ecr.{region}.example.com (default: path style)"
    )
    registry_scheme: Literal["http", "https"] | None = Field(
        None, description="how clients reach the registry (default: https with tls_certificate, http without)"
    )
    registry_aliases: Annotated[dict[str, str], NoDecode, from_json('{"images.example.com": "ACCOUNT/REGION"}')] = (
        Field({}, description='more host names: {"images.example.com": "ACCOUNT/REGION"}')
    )

    @field_validator("account_id")
    @classmethod
    def _account_id_has_12_digits(cls, value: str) -> str:
        return Registry.parse(value, "us-east-1").account

    @field_validator("region")
    @classmethod
    def _region_is_a_region(cls, value: str) -> str:
        return Registry.parse("000000000000", value).region

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
        check_both_or_neither(self, "root_access_key_id", "root_secret_access_key")
        return self

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

    @property
    def registry(self) -> Registry:
        """The default registry: the one that path style names without a prefix."""
        return Registry(self.account_id, self.region)
