"""The policies of a simulation: of somebody, or written down by whoever simulates; each known by where it came from.

IAM API reference, "SimulatePrincipalPolicy", "SimulateCustomPolicy".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, or_, select

from berth import json_schemas
from berth.database.db import Database
from berth.database.questions import Question
from berth.errors import MalformedPolicyDocument
from berth.errors.iam import InvalidInput
from berth.identity import kept_policies
from berth.identity.directory import aws_policies
from berth.identity.documents import grammar, iam_documents, identity_document
from berth.identity.documents.policy import PolicyDocument
from berth.identity.policies.compiled import Compiled, Kind, Policies, Policy, compiled
from berth.identity.policies.decide import Applying
from berth.identity.simulation.simulated import Simulated
from berth.schema import group_members, identities, inline_policies

_RESOURCE_SCHEMA = json_schemas.validator("registry-policy")
# A person's own inline policies, and those of the groups that they are in.
_INLINE = Question(
    select(identities.c.kind, identities.c.name.label("holder"), inline_policies.c.name, inline_policies.c.document)
    .join(inline_policies, inline_policies.c.identity_id == identities.c.id)
    .where(
        or_(
            identities.c.id == bindparam("id"),
            identities.c.id.in_(select(group_members.c.group_id).where(group_members.c.user_id == bindparam("id"))),
        )
    )
    .order_by(identities.c.kind.desc(), identities.c.name, inline_policies.c.name)
)


@dataclass(frozen=True, slots=True)
class Source:
    """A policy of a simulation: its `name` is an ARN where it is a managed one.

    `kind` is as PolicySourceType has it; `holder` is the name of the user, group or role whose inline policy it is.
    """

    name: str
    text: str
    kind: str
    holder: str | None = None

    @property
    def id(self) -> str:
        return self.name.rpartition("/")[2]


@dataclass(slots=True)
class Sources:
    """What applies, and where each policy of it came from."""

    identity: Sequence[Source] = ()
    boundary: Sequence[Source] | None = None
    resource: Source | None = None
    control: Sequence[Sequence[Source]] = ()
    by_policy: dict[Policy, Source] = field(default_factory=dict)

    def applying(self) -> Applying:
        boundary, resource = self.boundary, self.resource
        return Applying(
            identity=self._policies(Kind.IDENTITY, self.identity),
            boundary=None if boundary is None else self._policies(Kind.BOUNDARY, boundary),
            resource=None if resource is None else self._policies(Kind.RESOURCE, [resource]),
            service_control=tuple(self._policies(Kind.SERVICE_CONTROL, level) for level in self.control),
        )

    def condition_keys(self) -> list[str]:
        """The condition keys that the identity-based policies look at, as their texts first write them."""
        found = [key for source in self.identity for key in keys_of(kept_policies.read(source.text))]
        return sorted({key.lower(): key for key in reversed(found)}.values(), key=str.lower)

    def _policies(self, kind: Kind, sources: Iterable[Source]) -> Policies:
        made = {Policy(source.id, compiled(source.text, kept_policies.read)): source for source in sources}
        self.by_policy |= made
        return Policies(kind, made)


async def of(database: Database, who: Simulated) -> Sources:
    """The policies that somebody has now."""
    identity, own = who.identity, who.own
    inline = [] if identity is None else await database.ask(_INLINE, id=identity.id)
    return Sources(
        identity=[
            *(Source(row["name"], row["document"], row["kind"], row["holder"]) for row in inline),
            *(_managed(arn, text) for arn, text in own.identity if arn.startswith("arn:")),
        ],
        boundary=None if own.boundary is None else [_managed(arn, text) for arn, text in own.boundary],
        control=[] if own.control is None else [[Source(name, text, "none") for name, text in own.control]],
    )


def given(texts: Iterable[str], member: str) -> list[Source]:
    """Identity-based policies that whoever simulates wrote down. Raises InvalidInput."""
    sources = [Source(f"{member}.{number}", text, "none") for number, text in enumerate(texts, 1)]
    for source in sources:
        try:
            identity_document.parse(source.text)
        except MalformedPolicyDocument as malformed:
            raise InvalidInput(f"{source.name}: {malformed.message}") from None
    return sources


def given_for_resource(text: str) -> Source:
    """The same for the policy on the resources. Raises InvalidInput."""
    try:
        document = iam_documents.read(text, _RESOURCE_SCHEMA)
    except MalformedPolicyDocument as malformed:
        raise InvalidInput(f"ResourcePolicy: {malformed.message}") from None
    for entry in grammar.entries(document):
        named = [entry[name] for name in ("Principal", "NotPrincipal") if name in entry]
        if len(named) != 1 or grammar.strange_principal(named[0]) is not None:
            raise InvalidInput("ResourcePolicy: Invalid principal in policy.")
    return Source("ResourcePolicy", text, "resource")


def keys_of(document: PolicyDocument) -> Iterable[str]:
    """The condition keys that its statements look at, in their conditions and in variables."""
    for statement in document.statements:
        for condition in statement.conditions:
            yield condition.key
    compiled = Compiled(document)
    written = {condition.key.lower() for statement in document.statements for condition in statement.conditions}
    yield from sorted(compiled.keys - written)


def _managed(arn: str, text: str) -> Source:
    is_of_aws = arn in aws_policies.BY_ARN
    return Source(arn, text, "aws-managed" if is_of_aws else "user-managed")
