"""May the caller do this? To each thing that a call is about, the action of the operation and those that go with it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from berth.errors import InvalidParameter
from berth.identity.access import ALL
from berth.identity.authorize import Asked, authorize
from berth.identity.policies import context
from berth.identity.policies.context import Subject
from berth.identity.policies.variables import Context
from berth.names import NameInvalid, Registry, RepositoryArn
from controlplane import iam_resources, iam_words
from controlplane.call import Call
from controlplane.overlays import Rule, rules
from controlplane.wire.model import Members, Operation

# The actions that go with others, each with the member of the request that makes it needed (ECR user guide,
# "Creating a repository creation template"; service authorization reference, "Actions defined by Amazon ECR").
NEEDED_FOR = {
    "ecr:CreateRepository": "prefix",
    "ecr:PutLifecyclePolicy": "lifecyclePolicy",
    "ecr:SetRepositoryPolicy": "repositoryPolicy",
    "ecr:TagResource": "tags",
    "iam:PassRole": "customRoleArn",
    "sts:TagSession": "Tags",
}
_PASS_ROLE = "iam:PassRole"  # noqa: S105
# It is about no registry: its password opens each that the caller may use.
_OF_NO_REGISTRY = "ecr:GetAuthorizationToken"
_PREFIX_OF_ALL = "ROOT"
_ECR = "ecr.amazonaws.com"


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


async def check(operation: Operation, members: Members, call: Call) -> None:
    """Raises berth.errors.AccessDenied unless the principal may do the operation to all that it is about."""
    rule = rules(operation.service)[operation.name]
    if rule.anyone:
        return
    asking = _of_ecr(rule, members, call) if operation.service == "ecr" else _of_iam(rule, members, call)
    async for asked in asking:
        authorize(call.permits, asked, call.circumstances, call.opened.audit)


async def _of_ecr(rule: Rule, members: Members, call: Call) -> AsyncIterator[Asked]:
    authority, registry = call.opened.authority, call.registry
    more = _subject(members, registry.account, keys=_setting(rule, members))
    for name in _names(rule, members):
        on = None if rule.action == _OF_NO_REGISTRY else await authority.access(registry, name)
        # `*` is all there is in the caller's own account: what `registryId` says of another one is asked by its name.
        is_all = rule.repository is None and registry.account == call.principal.account
        asked = Asked(rule.action, "*" if is_all else registry.arn(name), on, more)
        yield asked
        for action in rule.dependent:
            needed_for = members.get(NEEDED_FOR.get(action, ""))
            # What is no ARN of a role of the account, the operation refuses.
            is_other = action == _PASS_ROLE and not _is_role(needed_for, registry)
            if needed_for and not is_other:
                yield _dependent(action, asked, members, registry)


def _is_role(arn: str | None, registry: Registry) -> bool:
    return arn is not None and arn.startswith(f"arn:{registry.partition}:iam::{registry.account}:role/")


def _names(rule: Rule, members: Members) -> list[str]:
    if rule.repository is None:
        return [ALL]
    if rule.repository == "resourceArn":
        return [RepositoryArn.parse(members["resourceArn"]).name]
    named = members.get(rule.repository, ALL)
    return [named] if isinstance(named, str) else list(named)


def _dependent(action: str, asked: Asked, members: Members, registry: Registry) -> Asked:
    if action == _PASS_ROLE:
        return Asked(action, members["customRoleArn"], more={"iam:passedtoservice": _ECR})
    if "prefix" in members:
        prefix = members["prefix"]
        return replace(asked, action=action, resource=registry.arn(ALL if prefix == _PREFIX_OF_ALL else f"{prefix}/*"))
    return replace(asked, action=action)


async def _of_iam(rule: Rule, members: Members, call: Call) -> AsyncIterator[Asked]:
    if rule.resource is None:
        more = _subject(members, call.principal.account, service="iam")
        yield Asked(rule.action, "*", more=more, shown=iam_words.shown(rule, members, "*"))
        return
    found = await iam_resources.find(call, members, rule.resource)
    more = _subject(members, call.principal.account, tags=found.tags, keys=found.keys, service="iam")
    shown = iam_words.shown(rule, members, found.arn)
    for action in (rule.action, *(each for each in rule.dependent if members.get(NEEDED_FOR.get(each, "")))):
        yield Asked(action, found.arn, more=more, shown=shown)
    renamed = iam_resources.renamed(found.arn, members)
    if renamed is not None:
        yield Asked(rule.action, renamed, more=more)


def _subject(members: Members, account: str, **more: Any) -> Context:
    """What the request itself says: the tags that it gives, the keys of those that it takes."""
    given = members.get("tags") or members.get("Tags") or []
    taken = members.get("tagKeys") or members.get("TagKeys") or []
    tags = {tag["Key"]: tag.get("Value", "") for tag in given}
    return context.of_subject(Subject(account, request_tags=tags, tag_keys=taken, **more))


def _setting(rule: Rule, members: Members) -> Mapping[str, str]:
    return {"ecr:AccountSetting": members["name"]} if rule.action.endswith("AccountSetting") else {}
