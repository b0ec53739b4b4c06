"""What an account has and the file does not: it goes, with all that hangs on it."""

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from berth.database.db import Database
from berth.identity.declared.steps import Step, step
from berth.identity.directory import (
    attachments,
    customer_policies,
    groups,
    identities,
    inline_policies,
    keys,
    mfa_devices,
    mfa_enabling,
    names,
    oidc_providers,
    policy_versions,
    roles,
    users,
)
from berth.identity.directory.identities import QUOTAS, Identity
from berth.identity.directory.keys import Owner
from berth.identity.directory.managed_policies import ManagedPolicy

# More than there may be of each.
_ALL = max(most for _, most in QUOTAS.values()) + 1


async def steps(
    database: Database, account: str, declared: Mapping[str, Any], policies: list[ManagedPolicy]
) -> AsyncIterator[Step]:
    """`policies` are the account's own."""
    for kind in ("user", "role", "group"):
        named = {names.folded(name) for name in declared[f"{kind}s"]}
        for found in await identities.page(database, account, kind, limit=_ALL):
            if names.folded(found.name) not in named:
                yield Step("-", f"{kind} {found.name}, with all that it has", partial(_remove, identity=found))
    urls = {url.removeprefix("https://") for url in declared["oidc_providers"]}
    for provider in await oidc_providers.all_of(database, account):
        if provider.url not in urls:
            what = f"OpenID Connect provider https://{provider.url}"
            yield step("-", what, oidc_providers.remove, account, provider.arn)
    named = {names.folded(name) for name in declared["policies"]}
    for policy in policies:
        if names.folded(policy.name) not in named:
            yield Step("-", f"policy {policy.name}", partial(_remove_policy, policy=policy))


async def _remove(database: Database, identity: Identity) -> None:
    place = identity.account, identity.kind, identity.name
    for arn in await attachments.all_of(database, identity):
        await attachments.detach(database, *place, arn)
    for name in await inline_policies.all_of(database, identity):
        await inline_policies.remove(database, *place, name)
    if identity.kind == "user":
        await _remove_user(database, identity)
    elif identity.kind == "group":
        for user in await groups.members(database, identity, limit=_ALL):
            await groups.remove(database, identity.account, identity.name, user.name)
        await groups.delete_group(database, identity.account, identity.name)
    else:
        await roles.delete(database, identity.account, identity.name)


async def _remove_user(database: Database, user: Identity) -> None:
    owner = Owner(user.account, user)
    for key in await keys.all_of(database, owner):
        await keys.remove(database, owner, key.id)
    for device in await mfa_devices.all_of(database, user):
        await mfa_enabling.deactivate(database, user.account, user.name, device.serial)
    for group in await groups.groups_of(database, user, limit=_ALL):
        await groups.remove(database, user.account, group.name, user.name)
    await users.delete(database, user.account, user.name)


async def _remove_policy(database: Database, policy: ManagedPolicy) -> None:
    for version in await policy_versions.all_of(database, policy):
        if not version.is_default:
            await policy_versions.remove(database, policy.account, policy.arn, version.id)
    await customer_policies.remove(database, policy.account, policy.arn)
