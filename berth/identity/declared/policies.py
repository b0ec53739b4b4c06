"""Managed policies as a file declares them."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from berth.database.db import Database
from berth.errors.iam import NoSuchEntity
from berth.identity.declared import tags
from berth.identity.declared.files import NotDeclared
from berth.identity.declared.steps import Step, differences, is_same, step, text_of
from berth.identity.directory import customer_policies, managed_policies, names, policy_versions
from berth.identity.directory.managed_policies import ManagedPolicy
from berth.identity.directory.policy_versions import MOST_VERSIONS

Declared = Mapping[str, Any]


def arn(account: str, name: str, declared: Declared) -> str:
    return names.arn(account, "policy", declared.get("path", names.ROOT), name)


async def steps(database: Database, account: str, name: str, declared: Declared) -> AsyncIterator[Step]:
    """Raises NotDeclared, MalformedPolicyDocument, PolicyTooLarge."""
    names.check_name(name, "policyName")
    text = text_of(declared["document"])
    customer_policies.check(text)
    try:
        policy = await managed_policies.get(database, account, arn(account, name, declared))
    except NoSuchEntity:
        yield step(
            "+",
            f"policy {name}",
            customer_policies.create,
            account,
            declared.get("path", names.ROOT),
            name,
            text,
            description=declared.get("description"),
            tags=declared.get("tags", {}),
        )
        return
    if declared.get("description", policy.description) != policy.description:
        raise NotDeclared(f"policy {name}: a description cannot be changed; it is '{policy.description or ''}'")
    for each in (await _document(database, policy, declared["document"]), *_tags(policy, declared)):
        if each is not None:
            yield each


async def _document(database: Database, policy: ManagedPolicy, document: Declared) -> Step | None:
    """Another document is another version; where there are too many, the oldest that is not in force goes."""
    versions = await policy_versions.all_of(database, policy)
    (current,) = (version for version in versions if version.is_default)
    if is_same(current.document, document):
        return None
    oldest = [version for version in versions if not version.is_default][-1:] if len(versions) >= MOST_VERSIONS else []

    async def change(database: Database) -> None:
        for version in oldest:
            await policy_versions.remove(database, policy.account, policy.arn, version.id)
        text = text_of(document)
        await policy_versions.create(database, policy.account, policy.arn, text, as_default=True)

    return Step("~", f"policy {policy.name}: another version", change, differences(current.document, document))


def _tags(policy: ManagedPolicy, declared: Declared) -> Iterator[Step]:
    wanted, place = declared.get("tags", policy.tags), (policy.account, policy.arn)
    changes = customer_policies.add_tags, customer_policies.remove_tags
    return tags.steps(f"policy {policy.name}", policy.tags, wanted, *changes, *place)
