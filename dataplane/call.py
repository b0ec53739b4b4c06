"""One request on its way through the data plane."""

from dataclasses import dataclass

from aiohttp import web

from berth.addresses import Addresses
from berth.db import Database
from berth.identity.authorize import authorize
from berth.identity.principals import Principal
from berth.names import Registry, RepositoryName
from berth.opening import Opened
from berth.store.contract import Store
from dataplane.host import Target
from dataplane.memory import Memory


@dataclass(frozen=True, slots=True)
class Call:
    """The request, whom it comes from and what it is about."""

    request: web.Request
    opened: Opened
    principal: Principal
    target: Target
    memory: Memory

    @property
    def database(self) -> Database:
        return self.opened.database

    @property
    def store(self) -> Store:
        return self.opened.store

    @property
    def addresses(self) -> Addresses:
        return self.opened.addresses

    @property
    def registry(self) -> Registry:
        return self.target.registry

    @property
    def name(self) -> RepositoryName:
        return self.target.name

    def authorize(self, action: str, arn: str) -> None:
        """Raise AccessDenied unless the principal may do `action` to `arn`."""
        allow(self.principal, action, self.registry, arn)


def allow(principal: Principal, action: str, registry: Registry, arn: str) -> None:
    """Raise AccessDenied unless the principal may do `action` to `arn`, which is in the registry."""
    authorize(principal, action, arn, {"aws:RequestedRegion": registry.region})
