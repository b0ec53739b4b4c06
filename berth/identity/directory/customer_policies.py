"""The managed policies that an account makes of its own: made, tagged and deleted."""

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from berth import changes
from berth.database.db import Database
from berth.errors.iam import EntityAlreadyExists, PolicyInUse
from berth.identity.directory import held_policies, ids, names, quotas
from berth.identity.directory import tags as tagging
from berth.identity.directory.managed_policies import OWN_COLUMNS, ManagedPolicy
from berth.identity.documents import identity_document, policy_sizes
from berth.schema import identities, policies, policy_attachments, policy_versions

# IAM user guide, "IAM and AWS STS quotas".
MOST_POLICIES = 1500


async def create(
    database: Database,
    account: str,
    path: str,
    name: str,
    document: str,
    *,
    description: str | None = None,
    tags: Mapping[str, str],
) -> ManagedPolicy:
    """`document` is its first version.

    Raises ValidationError, MalformedPolicyDocument, PolicyTooLarge, EntityAlreadyExists, QuotaExceeded.
    """
    names.check_path(path)
    names.check_name(name, "policyName")
    check(document)
    row = {
        "id": ids.new(ids.POLICY),
        "account": account,
        "path": path,
        "name": name,
        "folded_name": names.folded(name),
        "description": description,
        "tags": tags,
    }
    making = insert(policies).values(row).on_conflict_do_nothing(index_elements=("account", "folded_name"))
    async with database.transaction() as connection:
        await quotas.hold(connection, account, policies.c.account == account, "PoliciesPerAccount", MOST_POLICIES)
        made = (await connection.execute(making.returning(*OWN_COLUMNS))).one_or_none()
        if made is None:
            raise EntityAlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
        first = insert(policy_versions).values(policy_id=made.id, version=1, document=document)
        await connection.execute(first)
    return ManagedPolicy(**made._mapping, attachments=0, boundaries=0)


def check(document: str) -> None:
    """Raises MalformedPolicyDocument, PolicyTooLarge."""
    identity_document.parse_managed(document)
    policy_sizes.check_managed(document)


async def remove(database: Database, account: str, arn: str) -> None:
    """Delete the policy with its one version. Raises InvalidInput, NoSuchEntity, PolicyInUse."""
    async with database.transaction() as connection:
        policy = await held_policies.locked(connection, account, arn, going=True)
        using = select(
            select(literal(1)).where(policy_attachments.c.policy_arn == arn).exists()
            | select(literal(1)).where(identities.c.boundary == arn).exists(),
            select(func.count()).where(policy_versions.c.policy_id == policy.id).scalar_subquery(),
        )
        in_use, versions = (await connection.execute(using)).one()
        if in_use:
            raise PolicyInUse("Cannot delete a policy attached to entities.")
        if versions > 1:
            raise PolicyInUse(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        await connection.execute(delete(policies).where(policies.c.id == policy.id))
        await changes.tell_of(connection, changes.of_policy(arn))


async def add_tags(database: Database, account: str, arn: str, added: Mapping[str, str]) -> None:
    """Raises InvalidInput, NoSuchEntity, QuotaExceeded."""
    async with database.transaction() as connection:
        policy = await held_policies.locked(connection, account, arn)
        await _set_tags(connection, policy.id, tagging.merge(policy.tags, added, "TagsPerPolicy"))


async def remove_tags(database: Database, account: str, arn: str, keys: Iterable[str]) -> None:
    """Take off the tags of these keys, those that there are. Raises InvalidInput, NoSuchEntity."""
    async with database.transaction() as connection:
        policy = await held_policies.locked(connection, account, arn)
        await _set_tags(connection, policy.id, tagging.without(policy.tags, keys))


async def _set_tags(connection: AsyncConnection, policy_id: str, after: Mapping[str, str]) -> None:
    await connection.execute(update(policies).where(policies.c.id == policy_id).values(tags=after))
