"""One request on its way through the data plane."""

from dataclasses import dataclass

from aiohttp import web

from berth.database.db import Database
from berth.identity.authorize import Asked, authorize
from berth.identity.permits import Permits
from berth.identity.policies.context import Circumstances
from berth.identity.principals import Principal
from berth.names import Registry, RepositoryName
from berth.opening import Opened
from berth.registries.addresses import Addresses
from berth.store.contract import Store
from dataplane.host import Target
from dataplane.memory import Memory
from listener import circumstances_of


@dataclass(frozen=True, slots=True)
class Call:
    """The request, whom it comes from and what it is about."""

    request: web.Request
    opened: Opened
    permits: Permits
    target: Target
    memory: Memory

    @property
    def principal(self) -> Principal:
        return self.permits.principal

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

    @property
    def circumstances(self) -> Circumstances:
        return circumstances_of(self.request, self.registry.region)

    async def authorize(self, action: str, registry: Registry, name: str) -> None:
        """Raise AccessDenied unless the principal may do `action` to the repository of that name (ALL: to all)."""
        on = await self.opened.authority.access(registry, name)
        authorize(self.permits, Asked(action, registry.arn(name), on), self.circumstances, self.opened.audit)
