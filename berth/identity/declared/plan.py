"""What has to change so that an account is as a file says, in the order in which it can be done."""

from collections.abc import Mapping
from typing import Any

from berth.database.db import Database
from berth.identity.arns import Kind
from berth.identity.declared import belongings, identities, policies, providers, pruning, trust
from berth.identity.declared.identities import Wanted
from berth.identity.declared.steps import Step
from berth.identity.directory import identities as directory
from berth.identity.directory import managed_policies, names
from berth.identity.directory.identities import QUOTAS
from berth.identity.directory.managed_policies import MOST_POLICIES
from berth.identity.directory.managed_policies import Wanted as Every

# More than there may be.
_ALL_GROUPS = QUOTAS["group"][1] + 1
# A trust policy may name users, a membership groups.
_ORDER: tuple[Kind, ...] = ("group", "user", "role")


async def plan(database: Database, account: str, declared: Mapping[str, Any], *, prune: bool) -> list[Step]:
    """`declared` as files.read gives it; with `prune`, what the account has beside it goes.

    What a step needs is made by one before it, and what goes, goes last. Raises NotDeclared, and what the directory
    raises for documents and names that cannot be.
    """
    own = await managed_policies.page(database, account, Every(), limit=MOST_POLICIES + 1)
    arns = {policy.name: policy.arn for policy in own}
    arns |= {name: policies.arn(account, name, each) for name, each in declared["policies"].items()}
    steps = [
        step
        for name, each in declared["policies"].items()
        async for step in policies.steps(database, account, name, each)
    ]
    for url, each in declared["oidc_providers"].items():
        steps += await providers.steps(database, account, url, each)
    there = await directory.page(database, account, "group", limit=_ALL_GROUPS)
    named = {names.folded(name) for name in (*declared["groups"], *(group.name for group in there))}
    everybody = [
        Wanted(account, kind, name, each, arns, named) for kind in _ORDER for name, each in declared[f"{kind}s"].items()
    ]
    found = await trust.in_order(database, [(wanted, await identities.find(database, wanted)) for wanted in everybody])
    for wanted, identity in found:
        steps += identities.itself(wanted, identity)
    for wanted, identity in found:
        steps += [step async for step in belongings.steps(database, wanted, identity)]
    if prune:
        steps += [step async for step in pruning.steps(database, account, declared, own)]
    return steps
