"""The changes that may be asked about: each made, or refused, as the operation that makes it for good does it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from sqlalchemy import update

from berth import registries
from berth.database.db import Database
from berth.identity.arns import Kind
from berth.identity.directory import (
    attachments,
    boundaries,
    customer_policies,
    held_policies,
    inline_policies,
    service_control,
)
from berth.identity.documents import ecr_document, registry_document
from berth.names import Registry
from berth.registries import account_settings
from berth.repositories import documents
from berth.schema import policy_versions


class Change(ABC):
    """Of what principals may do by what they have, or of who may do what to the repositories of a registry."""

    def concerns(self, policies_of: str | None) -> bool:
        """Whether it changes what is written on the repository, or registry, of that ARN."""
        del policies_of
        return False

    @property
    def is_of_resources(self) -> bool:
        return False

    @abstractmethod
    async def make(self, database: Database) -> None:
        """Raises what the operation raises."""


@dataclass(frozen=True, slots=True)
class OfIdentity(Change):
    """Of a user, a group or a role."""

    account: str
    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class InlinePolicy(OfIdentity):
    policy: str
    # None: it is removed.
    text: str | None

    async def make(self, database: Database) -> None:
        whose = (self.account, self.kind, self.name, self.policy)
        if self.text is None:
            await inline_policies.remove(database, *whose)
        else:
            await inline_policies.put(database, *whose, self.text)


@dataclass(frozen=True, slots=True)
class AttachedPolicy(OfIdentity):
    arn: str
    attached: bool

    async def make(self, database: Database) -> None:
        change = attachments.attach if self.attached else attachments.detach
        await change(database, self.account, self.kind, self.name, self.arn)


@dataclass(frozen=True, slots=True)
class Boundary(OfIdentity):
    # None: it is removed.
    arn: str | None

    async def make(self, database: Database) -> None:
        if self.arn is None:
            await boundaries.remove(database, self.account, self.kind, self.name)
        else:
            await boundaries.put(database, self.account, self.kind, self.name, self.arn)


@dataclass(frozen=True, slots=True)
class ManagedPolicy(Change):
    """What the version in force says, whether there is room for another version or not."""

    account: str
    arn: str
    text: str

    async def make(self, database: Database) -> None:
        customer_policies.check(self.text)
        async with database.transaction() as connection:
            policy = await held_policies.locked(connection, self.account, self.arn)
            in_force = (
                policy_versions.c.policy_id == policy.id,
                policy_versions.c.version == policy.default_version,
            )
            await connection.execute(update(policy_versions).where(*in_force).values(document=self.text))


@dataclass(frozen=True, slots=True)
class ServiceControl(Change):
    """One of an account's service control policies; the others stay."""

    account: str
    name: str
    text: str | None

    async def make(self, database: Database) -> None:
        if self.text is None:
            await service_control.remove(database, self.account, self.name)
            return
        before = await service_control.of(database, self.account)
        others = {name: text for name, text in before.items() if name != service_control.FULL_ACCESS}
        await service_control.put(database, self.account, {**others, self.name: self.text})


@dataclass(frozen=True, slots=True)
class RepositoryPolicy(Change):
    registry: Registry
    name: str
    text: str | None

    @property
    def is_of_resources(self) -> bool:
        return True

    def concerns(self, policies_of: str | None) -> bool:
        return policies_of == self.registry.arn(self.name)

    async def make(self, database: Database) -> None:
        if self.text is None:
            await documents.remove_policy(database, self.registry, self.name)
            return
        ecr_document.parse(self.text)
        text = ecr_document.normalize(self.text)
        await documents.set_policy(database, self.registry, self.name, text)


@dataclass(frozen=True, slots=True)
class RegistryPolicy(Change):
    registry: Registry
    text: str | None

    @property
    def is_of_resources(self) -> bool:
        return True

    def concerns(self, policies_of: str | None) -> bool:
        return policies_of is not None and policies_of.startswith(self.registry.arn(""))

    async def make(self, database: Database) -> None:
        if self.text is None:
            await registries.remove_policy(database, self.registry)
            return
        registry_document.parse(self.text, await account_settings.policy_scope(database, self.registry))
        await registries.set_policy(database, self.registry, registry_document.normalize(self.text))
