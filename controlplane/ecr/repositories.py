"""Repositories (ECR API reference, "CreateRepository" and those that follow from it)."""

from typing import Any

from berth import repositories
from berth.errors import InvalidParameter
from berth.names import RepositoryName
from berth.repositories import Repository, encryption, resource_tags
from berth.repositories.encryption import AES256
from berth.repositories.mutability import Mutability
from controlplane.call import Call, operation
from controlplane.wire.model import Members

DEFAULT_PAGE = 100


@operation("CreateRepository")
async def create_repository(call: Call, request: Members) -> Members:
    repository = await repositories.create(
        call.database,
        call.registry,
        RepositoryName(request["repositoryName"]),
        mutability=_mutability(request),
        scan_on_push=request.get("imageScanningConfiguration", {}).get("scanOnPush", False),
        encryption=encryption.parse(call.registry, request.get("encryptionConfiguration", AES256)),
        tags=resource_tags.parse(request.get("tags", [])),
    )
    return {"repository": described(call, repository)}


@operation("DescribeRepositories")
async def describe_repositories(call: Call, request: Members) -> Members:
    if "repositoryNames" in request:
        _refuse_paging_of_named(request)
        named = await repositories.get_all(call.database, call.registry, request["repositoryNames"])
        return {"repositories": [described(call, repository) for repository in named]}
    pages = call.pages(request)
    limit = request.get("maxResults", DEFAULT_PAGE)
    after = pages.after(request.get("nextToken")) or ""
    found = await repositories.page(call.database, call.registry, after=after, limit=limit + 1)
    shown = found[:limit]
    return {
        "repositories": [described(call, repository) for repository in shown],
        "nextToken": pages.token(shown[-1].name) if len(found) > limit else None,
    }


@operation("DeleteRepository")
async def delete_repository(call: Call, request: Members) -> Members:
    force = request.get("force", False)
    removed = await repositories.remove(call.database, call.registry, request["repositoryName"], force=force)
    return {"repository": described(call, removed)}


@operation("PutImageTagMutability")
async def put_image_tag_mutability(call: Call, request: Members) -> Members:
    repository = await repositories.set_mutability(
        call.database, call.registry, request["repositoryName"], _mutability(request)
    )
    return {
        "registryId": call.registry.account,
        "repositoryName": repository.name,
        **_mutability_members(repository.mutability),
    }


def described(call: Call, repository: Repository) -> dict[str, Any]:
    """ECR API reference, "Repository"."""
    return {
        "repositoryArn": repository.arn,
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "repositoryUri": call.opened.addresses.repository_uri(repository.registry, repository.name),
        "createdAt": repository.created_at,
        **_mutability_members(repository.mutability),
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": dict(repository.encryption),
    }


def _mutability(request: Members) -> Mutability:
    mode = request.get("imageTagMutability", "MUTABLE")
    return Mutability.of(mode, request.get("imageTagMutabilityExclusionFilters"))


def _mutability_members(mutability: Mutability) -> Members:
    return {
        "imageTagMutability": mutability.mode,
        "imageTagMutabilityExclusionFilters": mutability.filters_as_json() or None,
    }


def _refuse_paging_of_named(request: Members) -> None:
    for name in ("maxResults", "nextToken"):
        if name in request:
            raise InvalidParameter(name, f"{name} can't be used together with repositoryNames")
