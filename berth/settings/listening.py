"""Where Berth listens, whom it believes there, and where it may go itself."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import NoDecode

from berth.networks.network import Network
from berth.settings.forms import Endpoint, Header, Listen, NetworkList, check_both_or_neither, from_json

_MOST_PROCESSES_BY_DEFAULT = 4


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def here(listen: str) -> str:
    """How this machine calls the HOST:PORT that it listens at."""
    host, _, port = listen.rpartition(":")
    return f"{'localhost' if host in ('0.0.0.0', '[::]', '::') else host}:{port}"  # noqa: S104


class Listening(BaseModel):
    api_listen: Listen = Field("localhost:4500", description="HOST:PORT of the API (ECR, STS, IAM)")
    registry_listen: Listen = Field("localhost:5500", description="HOST:PORT of the registry (docker push and pull)")
    registry_processes: int = Field(
        default_factory=lambda: min(_cores(), _MOST_PROCESSES_BY_DEFAULT),
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
    trusted_proxies: NetworkList = Field(
        (), description="addresses and networks of the proxies whose X-Forwarded-For, -Proto and -Host count"
    )
    networks: Annotated[
        dict[str, Network],
        NoDecode,
        from_json('{"office": {"cidrs": ["10.1.0.0/16"], "vpc": "vpc-1", "vpce": "vpce-1"}}'),
    ] = Field(
        {}, description="networks by name, with the VPC endpoints that they stand for, and those endpoints' policies"
    )
    vpc_endpoint_header: Header = Field(
        "", description="the header in which trusted proxies tell the VPC endpoint that a client came through"
    )
    api_proxy_protocol: bool = Field(
        False, description="trusted proxies, and nobody else, connect to the API by the PROXY protocol"
    )
    registry_proxy_protocol: bool = Field(False, description="the same for the registry")
    api_endpoint: Endpoint = Field(
        "", description="URL of the API for clients, such as https://api.example.com (default: where it listens)"
    )
    allowed_networks: NetworkList = Field(
        (), description="private networks in which Berth may ask OIDC providers for their keys (public ones it may ask)"
    )
    outgoing_ca: Path | None = Field(
        None, description="PEM file of certificate authorities that OIDC providers' certificates may be of, too"
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        check_both_or_neither(self, "tls_certificate", "tls_key")
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
    def api_url(self) -> str:
        """Where the control plane answers on this machine."""
        return f"{self._scheme}://{here(self.api_listen)}"

    @property
    def registry_url(self) -> str:
        """Where the data plane answers on this machine."""
        return f"{self._scheme}://{here(self.registry_listen)}"

    @property
    def _scheme(self) -> str:
        return "https" if self.tls_certificate else "http"
