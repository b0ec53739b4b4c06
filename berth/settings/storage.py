"""Where Berth keeps what it is given: the data folder, the database, the store of the layers."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from berth.settings.forms import DatabaseUrl, Endpoint, check_both_or_neither
from berth.store.location import Location, parse_location


class Storage(BaseModel):
    data: Path = Field(Path(".berth"), description="folder of the embedded database, the layers and the master key")
    database_url: DatabaseUrl = Field(
        None, description="postgresql://USER:PASSWORD@HOST/DATABASE; without it Berth runs its own PostgreSQL"
    )
    store: str = Field(
        "", description="where the layers are kept: file:///FOLDER or s3://BUCKET/PREFIX (default: `store` in data)"
    )
    store_also: str = Field(
        "", description="where layers are read from that store does not have, while `berth store migrate` moves them"
    )
    s3_endpoint: Endpoint = Field("", description="http(s)://HOST of the S3-compatible server (default: Amazon's own)")
    s3_public_endpoint: Endpoint = Field(
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

    @field_validator("store", "store_also")
    @classmethod
    def _store_is_somewhere(cls, value: str) -> str:
        if value:
            parse_location(value)
        return value

    @model_validator(mode="after")
    def _s3_key_is_whole(self) -> Self:
        check_both_or_neither(self, "s3_access_key_id", "s3_secret_access_key")
        return self

    @property
    def store_location(self) -> Location:
        """Where what is pushed is kept."""
        return parse_location(self.store) if self.store else self.data.absolute() / "store"

    @property
    def store_folder(self) -> Path | None:
        """The same, where it is a folder."""
        return self.store_location if isinstance(self.store_location, Path) else None
