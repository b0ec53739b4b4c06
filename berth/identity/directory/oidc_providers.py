"""OpenID Connect providers that vouch for others, such as the jobs of a CI system.

IAM user guide, "Create an OpenID Connect (OIDC) identity provider in IAM".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.database.questions import Question
from berth.errors.iam import EntityAlreadyExists, NoSuchEntity
from berth.identity.directory import oidc_words, quotas
from berth.identity.directory import tags as tagging
from berth.schema import oidc_providers as table

# IAM user guide, "IAM and AWS STS quotas".
MOST_PROVIDERS = 100


@dataclass(frozen=True, slots=True)
class Provider:
    """`url` is without https://, `client_ids` are the audiences that tokens may be for."""

    account: str
    url: str
    client_ids: Sequence[str] = field(hash=False)
    thumbprints: Sequence[str] = field(hash=False)
    tags: Mapping[str, str] = field(hash=False)
    created_at: datetime

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:oidc-provider/{self.url}"


_COLUMNS = tuple(table.c[name] for name in Provider.__dataclass_fields__)
_FIND = Question(select(*_COLUMNS).where(table.c.account == bindparam("account"), table.c.url == bindparam("url")))
_ALL = Question(select(*_COLUMNS).where(table.c.account == bindparam("account")).order_by(table.c.url))


async def create(
    database: Database,
    account: str,
    url: str,
    *,
    client_ids: Sequence[str] = (),
    thumbprints: Sequence[str] = (),
    tags: Mapping[str, str],
) -> Provider:
    """Raises ValidationError, InvalidInput, EntityAlreadyExists, QuotaExceeded."""
    row = {
        "account": account,
        "url": oidc_words.without_scheme(url),
        "client_ids": oidc_words.client_ids_in(client_ids),
        "thumbprints": oidc_words.thumbprints_in(thumbprints),
        "tags": tags,
    }
    making = insert(table).values(row).on_conflict_do_nothing().returning(*_COLUMNS)
    async with database.transaction() as connection:
        mine = table.c.account == account
        await quotas.hold(connection, account, mine, "OpenIdConnectProvidersPerAccount", MOST_PROVIDERS)
        made = (await connection.execute(making)).one_or_none()
    if made is None:
        raise EntityAlreadyExists(f"Provider with url {url} already exists.")
    return Provider(**made._mapping)


async def get(database: Database, account: str, arn: str) -> Provider:
    """Raises InvalidInput, NoSuchEntity."""
    found = await find(database, account, oidc_words.url_of(account, arn))
    if found is None:
        raise NoSuchEntity.provider(arn)
    return found


async def find(database: Database, account: str, url: str) -> Provider | None:
    """The provider of that URL, which is without https://."""
    rows = await database.ask(_FIND, account=account, url=url)
    return Provider(**rows[0]) if rows else None


async def all_of(database: Database, account: str) -> list[Provider]:
    """By their URLs."""
    return [Provider(**row) for row in await database.ask(_ALL, account=account)]


async def remove(database: Database, account: str, arn: str) -> None:
    """Delete the provider, which may be gone already. Raises InvalidInput, NoSuchEntity."""
    async with database.transaction() as connection:
        await connection.execute(delete(table).where(_is(account, oidc_words.url_of(account, arn))))


async def add_client_id(database: Database, account: str, arn: str, client_id: str) -> None:
    """Let tokens be for this audience too. Raises InvalidInput, NoSuchEntity, QuotaExceeded."""
    async with database.transaction() as connection:
        provider = await _locked(connection, account, arn)
        await _set(connection, provider, client_ids=oidc_words.client_ids_in([*provider.client_ids, client_id]))


async def remove_client_id(database: Database, account: str, arn: str, client_id: str) -> None:
    """Let tokens be for this audience no more; they may be not already. Raises InvalidInput, NoSuchEntity."""
    async with database.transaction() as connection:
        provider = await _locked(connection, account, arn)
        await _set(connection, provider, client_ids=[each for each in provider.client_ids if each != client_id])


async def set_thumbprints(database: Database, account: str, arn: str, thumbprints: Sequence[str]) -> None:
    """Raises InvalidInput, NoSuchEntity."""
    checked = oidc_words.thumbprints_in(thumbprints)
    async with database.transaction() as connection:
        await _set(connection, await _locked(connection, account, arn), thumbprints=checked)


async def add_tags(database: Database, account: str, arn: str, added: Mapping[str, str]) -> None:
    """Raises InvalidInput, NoSuchEntity, QuotaExceeded."""
    async with database.transaction() as connection:
        provider = await _locked(connection, account, arn)
        await _set(connection, provider, tags=tagging.merge(provider.tags, added, "TagsPerOpenIdConnectProvider"))


async def remove_tags(database: Database, account: str, arn: str, keys: Iterable[str]) -> None:
    """Take off the tags of these keys, those that there are. Raises InvalidInput, NoSuchEntity."""
    async with database.transaction() as connection:
        provider = await _locked(connection, account, arn)
        await _set(connection, provider, tags=tagging.without(provider.tags, keys))


async def _locked(connection: AsyncConnection, account: str, arn: str) -> Provider:
    finding = select(*_COLUMNS).where(_is(account, oidc_words.url_of(account, arn))).with_for_update(key_share=True)
    row = (await connection.execute(finding)).one_or_none()
    if row is None:
        raise NoSuchEntity.provider(arn)
    return Provider(**row._mapping)


async def _set(connection: AsyncConnection, provider: Provider, **new: Any) -> None:
    await connection.execute(update(table).where(_is(provider.account, provider.url)).values(**new))


def _is(account: str, url: str) -> Any:
    return (table.c.account == account) & (table.c.url == url)
