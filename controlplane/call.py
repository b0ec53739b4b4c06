"""What an operation is given, and how one is found: `@operation("CreateRepository")`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from berth.database.db import Database
from berth.identity.credentials.key_uses import KeyUses
from berth.identity.permits import Permits
from berth.identity.policies.context import Circumstances
from berth.identity.principals import Principal
from berth.names import Registry
from berth.opening import Opened
from berth.store.contract import Store
from controlplane.wire.model import Members
from controlplane.wire.paging import Pages


@dataclass(frozen=True, slots=True)
class Call:
    """One call, authorized before an operation gets it.

    `circumstances` are those that policies ask about. `registry` is the one that it is about: the caller's own in the
    region it signed for, unless a `registryId` or an ARN in the request names another. `uses` notes uses of roles.
    """

    opened: Opened
    permits: Permits
    circumstances: Circumstances
    registry: Registry
    operation: str
    uses: KeyUses

    @property
    def principal(self) -> Principal:
        return self.permits.principal

    @property
    def database(self) -> Database:
        return self.opened.database

    @property
    def store(self) -> Store:
        return self.opened.store

    def pages(self, request: Members, *filters: str) -> Pages:
        """The page tokens of this listing; `filters` are the members of the request that decide what is in it."""
        chosen = {name: request.get(name) for name in filters}
        return Pages(self.opened.keyring, self.operation, self.registry, **chosen)


# Takes the input's members and gives the output's, by the names of the model; raises berth.errors.EcrError.
Run = Callable[[Call, Members], Awaitable[Members]]

_BUILT: dict[tuple[str, str], Run] = {}


def operation(name: str, service: str = "ecr") -> Callable[[Run], Run]:
    """Mark the function that does the operation `name` of the service."""

    def mark(run: Run) -> Run:
        _BUILT[service, name] = run
        return run

    return mark


def built(service: str, name: str) -> Run | None:
    """The function that does the operation; None where Berth does not have it."""
    return _BUILT.get((service, name))
