"""What is written on a repository and its registry about who may do what: their policies, and the tags."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text, bindparam, exists, literal, select

from berth import changes
from berth.database.db import Database
from berth.database.questions import Question
from berth.identity import kept_policies
from berth.identity.documents.registry_document import ACTIONS_OF_V1, Scope
from berth.identity.policies import context
from berth.identity.policies.compiled import Kind, Policies
from berth.identity.policies.variables import Context
from berth.names import Registry
from berth.schema import accounts, registries, repositories

# The setting of an account that says what registry policies are asked about.
_SCOPE = registries.c.settings["REGISTRY_POLICY_SCOPE"].astext
_ONE = select(literal(1).label("one")).subquery("one")
_ACCESS = Question(
    select(
        repositories.c.id,
        repositories.c.policy,
        repositories.c.tags,
        registries.c.policy.label("registry_policy"),
        _SCOPE.label("scope"),
        exists()
        .where(accounts.c.id == bindparam("account", type_=Text), accounts.c.closed_at.is_not(None))
        .label("is_closed"),
    )
    .select_from(_ONE)
    .outerjoin(
        repositories,
        (repositories.c.account == bindparam("account", type_=Text))
        & (repositories.c.region == bindparam("region", type_=Text))
        & (repositories.c.name == bindparam("name", type_=Text)),
    )
    .outerjoin(
        registries,
        (registries.c.account == bindparam("account", type_=Text))
        & (registries.c.region == bindparam("region", type_=Text)),
    )
)
# What one takes beside the texts of its policies and its tags.
ACCESS_BYTES = 2048
# The name that stands for all repositories, and for the registry itself.
ALL = "*"


class Access:
    """`arn`: of the repository, or of all of the registry; `is_there`: it exists. `lasts` as Permits has it."""

    __slots__ = ("_of_v1", "_policies", "arn", "filled", "is_there", "lasts", "size", "subjects")

    def __init__(self, registry: Registry, name: str, row: Mapping[str, Any]) -> None:
        self.arn = registry.arn(name)
        # What is a closed account's, is nobody else's either.
        is_open = not row["is_closed"]
        texts = [(f"policy of {name}", row["policy"])] if is_open and row["policy"] is not None else []
        with_registry = list(texts)
        if is_open and row["registry_policy"] is not None:
            with_registry.append(("registry policy", row["registry_policy"]))
        self._of_v1 = _policies(with_registry)
        self._policies = _policies(texts) if row["scope"] == Scope.V1 else self._of_v1
        self.lasts = kept_policies.lasting(self._of_v1)
        tags: Mapping[str, str] = row["tags"] or {}
        # The condition keys that it fills.
        self.filled: Context = context.of_subject(context.Subject(registry.account, tags))
        self.is_there = name == ALL or row["id"] is not None
        self.size = ACCESS_BYTES + kept_policies.size(text for _, text in with_registry) + len(str(tags))
        of_repository = () if row["id"] is None else (changes.of_access(row["id"]),)
        self.subjects = (changes.of_account(registry.account), changes.of_registry(registry), *of_repository)

    def policies(self, action: str) -> Policies | None:
        """Those that are asked about the action."""
        return self._of_v1 if action.lower() in ACTIONS_OF_V1 else self._policies


def _policies(texts: list[tuple[str, str]]) -> Policies | None:
    return kept_policies.policies(Kind.RESOURCE, texts) if texts else None


async def find(database: Database, registry: Registry, name: str) -> Access:
    """Of the repository of that name, there or not; of ALL, of the registry alone."""
    (row,) = await database.ask(_ACCESS, account=registry.account, region=registry.region, name=name)
    return Access(registry, name, row)
