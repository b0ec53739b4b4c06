"""What a call is about, as IAM names it: its action and its resources, by the overlays in `api-models/`."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from berth.errors import InvalidParameter
from berth.identity import authorize
from berth.identity.principals import Principal
from berth.names import NameInvalid, Registry, RepositoryArn
from controlplane.wire.model import Members, Operation

OVERLAYS = Path(__file__).parent.parent / "api-models"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the overlay says of an operation (Service Authorization Reference, the page of the service)."""

    action: str
    # The member that says which repositories the call is about: by name, by names or by ARN. None: about all there is.
    repository: str | None = None
    # The ARN of what else the call is about, with members of the request in it: `…:user${Path}${UserName}`.
    resource: str | None = None
    # Nobody needs a permission for it.
    anyone: bool = False


@cache
def rules(service: str) -> dict[str, Rule]:
    """The overlay of a service, by operation."""
    overlay = json.loads((OVERLAYS / f"{service}.json").read_bytes())
    return {
        operation: Rule(entry["action"], entry.get("repository"), entry.get("resource"), entry.get("anyone", False))
        for operation, entry in overlay.items()
    }


def registry_of(operation: Operation, members: Members, own: Registry) -> Registry:
    """The registry that the call is about. Raises InvalidParameter for an ARN that is none, or is of another region."""
    if rules(operation.service)[operation.name].repository == "resourceArn":
        try:
            registry = RepositoryArn.parse(members["resourceArn"]).registry
        except NameInvalid:
            raise InvalidParameter("resourceArn", "Invalid ARN") from None
        if registry.region != own.region:
            raise InvalidParameter("resourceArn", f"The region of the ARN must be '{own.region}'")
        return registry
    return Registry(members.get("registryId", own.account), own.region)


def check(operation: Operation, members: Members, principal: Principal, registry: Registry) -> None:
    """Raises berth.errors.AccessDenied unless the principal may do the operation to all that it is about."""
    rule = rules(operation.service)[operation.name]
    if rule.anyone:
        return
    context = {"aws:RequestedRegion": registry.region, "aws:PrincipalArn": principal.arn}
    for resource in _resources(rule, members, principal, registry):
        authorize.authorize(principal, rule.action, resource, context)


def _resources(rule: Rule, members: Members, principal: Principal, registry: Registry) -> Iterator[str]:
    if rule.resource is not None:
        yield Template(rule.resource).substitute(
            defaultdict(lambda: "*", {"Path": "/", **members, "Account": principal.account})
        )
    elif rule.repository is None:
        # `*` is all there is in the caller's own account: what `registryId` says of another one is asked by its name.
        yield "*" if registry.account == principal.account else registry.arn("*")
    elif rule.repository == "resourceArn":
        yield members["resourceArn"]
    elif rule.repository == "repositoryNames":
        for name in members.get("repositoryNames", ["*"]):
            yield registry.arn(name)
    else:
        yield registry.arn(members[rule.repository])
