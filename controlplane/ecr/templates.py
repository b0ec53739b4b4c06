"""Repository creation templates (ECR API reference, "CreateRepositoryCreationTemplate")."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from berth.names import Registry
from berth.templates import stored
from berth.templates.stored import Stored
from berth.templates.template import (
    Template,
    change_mutability,
    parse_applied_for,
    parse_encryption,
    parse_lifecycle_policy,
    parse_repository_policy,
    parse_role,
    parse_tags,
)
from controlplane.call import Call, operation
from controlplane.wire.model import Members

DEFAULT_PAGE = 100


@operation("CreateRepositoryCreationTemplate")
async def create_repository_creation_template(call: Call, request: Members) -> Members:
    bare = Template(request["prefix"], ())
    made = await stored.create(call.database, call.registry, _revised(call.registry, request, bare))
    return _answer(call, made)


@operation("UpdateRepositoryCreationTemplate")
async def update_repository_creation_template(call: Call, request: Members) -> Members:
    """Members that are left out stay as they are; empty texts take away what there was."""
    changed = await stored.change(
        call.database, call.registry, request["prefix"], lambda old: _revised(call.registry, request, old)
    )
    return _answer(call, changed)


@operation("DescribeRepositoryCreationTemplates")
async def describe_repository_creation_templates(call: Call, request: Members) -> Members:
    """A prefix that has no template is passed over: the model has no error for it."""
    pages = call.pages(request, "prefixes")
    limit = request.get("maxResults", DEFAULT_PAGE)
    after = pages.after(request.get("nextToken")) or ""
    found = await stored.page(call.database, call.registry, among=request.get("prefixes"), after=after, limit=limit + 1)
    shown = found[:limit]
    return {
        "registryId": call.registry.account,
        "repositoryCreationTemplates": [_described(one) for one in shown],
        "nextToken": pages.token(shown[-1].template.key) if len(found) > limit else None,
    }


@operation("DeleteRepositoryCreationTemplate")
async def delete_repository_creation_template(call: Call, request: Members) -> Members:
    return _answer(call, await stored.remove(call.database, call.registry, request["prefix"]))


def _revised(registry: Registry, request: Members, old: Template) -> Template:
    """The template with what the request says of it. Raises InvalidParameter, InvalidInput."""
    parsers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "appliedFor": ("applied_for", parse_applied_for),
        "description": ("description", lambda text: text or None),
        "encryptionConfiguration": ("encryption", lambda given: parse_encryption(registry, given)),
        "resourceTags": ("tags", parse_tags),
        "repositoryPolicy": ("repository_policy", parse_repository_policy),
        "lifecyclePolicy": ("lifecycle_policy", parse_lifecycle_policy),
        "customRoleArn": ("role", lambda arn: parse_role(registry, arn)),
    }
    given = {field: parse(request[name]) for name, (field, parse) in parsers.items() if name in request}
    mode, filters = request.get("imageTagMutability"), request.get("imageTagMutabilityExclusionFilters")
    return replace(old, **given, mutability=change_mutability(old.mutability, mode, filters))


def _answer(call: Call, one: Stored) -> Members:
    return {"registryId": call.registry.account, "repositoryCreationTemplate": _described(one)}


def _described(one: Stored) -> Members:
    """ECR API reference, "RepositoryCreationTemplate"."""
    template = one.template
    return {
        "prefix": template.prefix,
        "description": template.description,
        "encryptionConfiguration": dict(template.encryption),
        "resourceTags": [{"Key": key, "Value": value} for key, value in sorted(template.tags.items())],
        "imageTagMutability": template.mutability.mode,
        "imageTagMutabilityExclusionFilters": template.mutability.filters_as_json() or None,
        "repositoryPolicy": template.repository_policy,
        "lifecyclePolicy": template.lifecycle_policy,
        "appliedFor": list(template.applied_for),
        "customRoleArn": template.role,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }
