"""Questions to the engine out of policies as they are written."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from berth.identity.documents import grammar
from berth.identity.documents.policy import PolicyDocument
from berth.identity.policies import context
from berth.identity.policies.callers import Caller
from berth.identity.policies.compiled import Compiled, Kind, Policies, Policy, compiled
from berth.identity.policies.decide import Applying, Decision, Request, decide

ACCOUNT, OTHER = "111122223333", "444455556666"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/builder"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/builder/job-7"
REPOSITORY = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/web"

Document = dict[str, Any]


def compiled_of(document: Document) -> Compiled:
    return compiled(json.dumps(document), _parse)


def _parse(text: str) -> PolicyDocument:
    return grammar.document(json.loads(text))


def policies(kind: Kind, *documents: Document) -> Policies:
    """Named `identity-0`, `identity-1` and so on, by their kind."""
    name = kind.name.lower()
    return Policies(kind, [Policy(f"{name}-{number}", compiled_of(each)) for number, each in enumerate(documents)])


def document(*statements: Document, version: str = "2012-10-17") -> Document:
    return {"Version": version, "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **others: Any) -> Document:
    return document({"Effect": "Allow", "Action": action, "Resource": resource, **others})


def deny(action: Any = "*", resource: Any = "*", **others: Any) -> Document:
    return document({"Effect": "Deny", "Action": action, "Resource": resource, **others})


def to(principal: Any, action: Any = "*", effect: str = "Allow", **others: Any) -> Document:
    """A policy on a resource, for that principal: a service or provider as `{"Service": …}`, others as their name."""
    named = principal if principal == "*" or isinstance(principal, dict) else {"AWS": principal}
    return document({"Effect": effect, "Principal": named, "Action": action, **others})


def applying(
    *identity: Document,
    boundary: Document | None = None,
    session: Sequence[Document] | None = None,
    resource: Sequence[Document] | None = None,
    trust: Document | None = None,
    endpoint: Document | None = None,
    levels: Sequence[Sequence[Document]] = (),
) -> Applying:
    on_resource = policies(Kind.TRUST, trust) if trust is not None else None
    if resource is not None:
        on_resource = policies(Kind.RESOURCE, *resource)
    return Applying(
        identity=policies(Kind.IDENTITY, *identity),
        boundary=policies(Kind.BOUNDARY, boundary) if boundary is not None else None,
        session=policies(Kind.SESSION, *session) if session is not None else None,
        resource=on_resource,
        endpoint=policies(Kind.ENDPOINT, endpoint) if endpoint is not None else None,
        service_control=tuple(policies(Kind.SERVICE_CONTROL, *level) for level in levels),
    )


def request(
    caller: Caller | str = ALICE,
    action: str = "ecr:PutImage",
    resource: str = REPOSITORY,
    owner: str = ACCOUNT,
    keys: Mapping[str, str | Sequence[str]] | None = None,
) -> Request:
    """An ARN of a session stands for one of ROLE."""
    if isinstance(caller, str):
        caller = Caller.aws(caller, ROLE if ":assumed-role/" in caller else None)
    return Request(caller, action, resource, owner, context.lowered(keys or {}))


def outcome(asked: Request, which: Applying) -> tuple[str, str]:
    """What came out, and the kind of policy that it came out by."""
    decision: Decision = decide(asked, which)
    return decision.outcome.value, decision.kind.name


def holds(condition: Document, keys: Mapping[str, str | Sequence[str]], version: str = "2012-10-17") -> bool:
    """Whether a statement with that Condition is one that counts."""
    one = document({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}, version=version)
    return decide(request(keys=keys), applying(one)).allowed
