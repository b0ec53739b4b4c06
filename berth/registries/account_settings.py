"""The account settings of a registry: what can be set, to which values, and what holds where nothing was set."""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import JSONB

from berth import registries as rows
from berth.database.db import Database
from berth.errors import InvalidParameter
from berth.identity.documents.registry_document import Scope
from berth.names import Registry
from berth.schema import registries

BASIC_SCAN_TYPE_VERSION = "BASIC_SCAN_TYPE_VERSION"
REGISTRY_POLICY_SCOPE = "REGISTRY_POLICY_SCOPE"
BLOB_MOUNTING = "BLOB_MOUNTING"

# Each setting with its values, of which the first one holds where none was put.
# ECR API reference, "PutAccountSetting"; user guide, "Switching to the extended registry policy scope".
VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        BASIC_SCAN_TYPE_VERSION: ("AWS_NATIVE", "CLAIR"),
        REGISTRY_POLICY_SCOPE: (Scope.V2, Scope.V1),
        BLOB_MOUNTING: ("ENABLED", "DISABLED"),
    }
)


# The condition that layers of the registry `account` and `region` may not be mounted from one repository into another.
FORBIDS_MOUNTING = exists().where(
    registries.c.account == bindparam("account"),
    registries.c.region == bindparam("region"),
    registries.c.settings[BLOB_MOUNTING].astext == "DISABLED",
)


async def get(database: Database, registry: Registry, name: str) -> str:
    """The value that holds. Raises InvalidParameter for what is no setting."""
    values = _values_of(name)
    async with database.reading() as connection:
        put = await connection.scalar(select(registries.c.settings[name].astext).where(rows.row_of(registry)))
    return values[0] if put is None else str(put)


async def put(database: Database, registry: Registry, name: str, value: str) -> None:
    """Raises InvalidParameter for what is no setting, or no value of it."""
    _one_of("value", value, _values_of(name))
    merged = registries.c.settings.op("||", return_type=JSONB)(func.jsonb_build_object(name, value))
    await rows.put(database, registry, {"settings": {name: value}}, settings=merged)


async def policy_scope(database: Database, registry: Registry) -> Scope:
    return Scope(await get(database, registry, REGISTRY_POLICY_SCOPE))


def _values_of(name: str) -> tuple[str, ...]:
    _one_of("name", name, tuple(VALUES))
    return VALUES[name]


def _one_of(parameter: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise InvalidParameter(parameter, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
