"""What a repository contains, page by page (ECR API reference, "ListImages", "DescribeImages")."""

from collections.abc import Sequence

from berth import image_lists, repositories
from berth.errors import ImageNotFound, InvalidParameter
from berth.image_lists import Image, TagStatus
from berth.repositories import Repository
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import IdInvalid, ImageId, refused, shown
from controlplane.wire.model import Members

DEFAULT_PAGE = 100
# Berth archives nothing: every image is active.
ACTIVE = "ACTIVE"


@operation("ListImages")
async def list_images(call: Call, request: Members) -> Members:
    repository = await repositories.get(call.database, call.registry, request["repositoryName"])
    pages = call.pages(request, "repositoryName", "filter")
    limit = request.get("maxResults", DEFAULT_PAGE)
    digest, tag = pages.after(request.get("nextToken")) or ("", "")
    if not _includes_active(request):
        return {"imageIds": []}
    found = await image_lists.image_ids(
        call.database, repository, status=_tag_status(request), after=(digest, tag), limit=limit + 1
    )
    listed = found[:limit]
    return {
        "imageIds": [shown(digest, tag) for digest, tag in listed],
        "nextToken": pages.token([listed[-1][0], listed[-1][1] or ""]) if len(found) > limit else None,
    }


@operation("DescribeImages")
async def describe_images(call: Call, request: Members) -> Members:
    _refuse_paging_of_named(request)
    repository = await repositories.get(call.database, call.registry, request["repositoryName"])
    if "imageIds" in request:
        named = await _named(call, repository, request["imageIds"])
        return {"imageDetails": [_detail(repository, image) for image in named]}
    pages = call.pages(request, "repositoryName", "filter")
    limit = request.get("maxResults", DEFAULT_PAGE)
    after = pages.after(request.get("nextToken")) or ""
    if not _includes_active(request):
        return {"imageDetails": []}
    found = await image_lists.describe(
        call.database, repository, status=_tag_status(request), after=after, limit=limit + 1
    )
    described = found[:limit]
    return {
        "imageDetails": [_detail(repository, image) for image in described],
        "nextToken": pages.token(described[-1].digest) if len(found) > limit else None,
    }


async def _named(call: Call, repository: Repository, given: Sequence[Members]) -> list[Image]:
    """The images of these ids, each once. Raises ImageNotFound for the first that is missing."""
    try:
        ids = [ImageId.read(one) for one in given]
    except IdInvalid as invalid:
        raise refused(invalid) from None
    names = [image_id.tag for image_id in ids if image_id.tag]
    by_tag = await image_lists.digests_of_tags(call.database, repository, names) if names else {}
    wanted = {*by_tag.values(), *(image_id.digest for image_id in ids if image_id.digest)}
    held = await image_lists.describe_some(call.database, repository, sorted(wanted))
    found: dict[str, Image] = {}
    for image_id in ids:
        try:
            digest = image_id.resolve(by_tag)
        except IdInvalid:
            digest = None
        if digest not in held:
            raise ImageNotFound(call.registry, repository.name, image_id.digest, image_id.tag)
        found[digest] = held[digest]
    return list(found.values())


def _detail(repository: Repository, image: Image) -> Members:
    """ECR API reference, "ImageDetail"."""
    return {
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageTags": list(image.tags) or None,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_type,
        "lastRecordedPullTime": image.last_pulled_at,
        "subjectManifestDigest": image.subject,
        "imageStatus": ACTIVE,
    }


def _tag_status(request: Members) -> TagStatus:
    return TagStatus(request.get("filter", {}).get("tagStatus", TagStatus.ANY))


def _includes_active(request: Members) -> bool:
    return request.get("filter", {}).get("imageStatus", ACTIVE) in (ACTIVE, "ANY")


def _refuse_paging_of_named(request: Members) -> None:
    for name in ("maxResults", "nextToken"):
        if name in request and "imageIds" in request:
            raise InvalidParameter(name, f"{name} can't be used together with imageIds")
