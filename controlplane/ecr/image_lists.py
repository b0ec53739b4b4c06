"""What a repository contains (ECR API reference, "ListImages", "DescribeImages", "ListImageReferrers")."""

from collections.abc import Sequence

from berth.errors import ImageNotFound, InvalidParameter
from berth.images import descriptions, lists, referrers
from berth.images.descriptions import Image
from berth.images.lists import Filter, TagStatus
from berth.images.referrers import Referrer
from berth.images.storage_classes import ImageStatus
from berth.names import Digest
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import IdInvalid, ImageId, read_digest, refused, shown
from controlplane.wire.model import Members

DEFAULT_PAGE = 100
DEFAULT_REFERRERS = 20


@operation("ListImages")
async def list_images(call: Call, request: Members) -> Members:
    name, chosen = request["repositoryName"], _filter(request)
    pages = call.pages(request, "repositoryName", "filter")
    limit = request.get("maxResults", DEFAULT_PAGE)
    digest, tag = pages.after(request.get("nextToken")) or ("", "")
    found = await lists.image_ids(call.database, call.registry, name, chosen, after=(digest, tag), limit=limit + 1)
    listed = found[:limit]
    return {
        "imageIds": [shown(digest, tag) for digest, tag in listed],
        "nextToken": pages.token([listed[-1][0], listed[-1][1] or ""]) if len(found) > limit else None,
    }


@operation("DescribeImages")
async def describe_images(call: Call, request: Members) -> Members:
    """Images that are named are described whatever their status is, unless the request says which."""
    name, chosen = request["repositoryName"], _filter(request)
    if "imageIds" in request:
        _refuse_paging_of_named(request)
        named = await _named(call, name, request["imageIds"])
        shown_ones = [image for image in named if "filter" not in request or chosen.includes(image.status, image.tags)]
        return {"imageDetails": [_detail(call, name, image) for image in shown_ones]}
    pages = call.pages(request, "repositoryName", "filter")
    limit = request.get("maxResults", DEFAULT_PAGE)
    after = pages.after(request.get("nextToken")) or ""
    found = await descriptions.page(call.database, call.registry, name, chosen, after=after, limit=limit + 1)
    described = found[:limit]
    return {
        "imageDetails": [_detail(call, name, image) for image in described],
        "nextToken": pages.token(described[-1].digest) if len(found) > limit else None,
    }


@operation("ListImageReferrers")
async def list_image_referrers(call: Call, request: Members) -> Members:
    given = request.get("filter", {})
    try:
        subject = read_digest(request["subjectId"]["imageDigest"])
    except IdInvalid as invalid:
        raise refused(invalid) from None
    pages = call.pages(request, "repositoryName", "subjectId", "filter")
    limit = request.get("maxResults", DEFAULT_REFERRERS)
    found = await referrers.page(
        call.database,
        call.registry,
        request["repositoryName"],
        subject,
        artifact_types=given.get("artifactTypes", []),
        status=_image_status(given.get("artifactStatus")),
        after=pages.after(request.get("nextToken")) or "",
        limit=limit,
    )
    return {
        "referrers": [_referrer(one) for one in found.referrers],
        "nextToken": pages.token(found.referrers[-1].digest) if found.goes_on else None,
    }


async def _named(call: Call, name: str, given: Sequence[Members]) -> list[Image]:
    """The images of these ids, each once. Raises ImageNotFound for the first that is missing."""
    ids = [ImageId.required(one) for one in given]
    digests = [image_id.digest for image_id in ids if image_id.digest]
    tags = [image_id.tag for image_id in ids if image_id.tag]
    held = await descriptions.named(call.database, call.registry, name, digests, tags)
    by_tag: dict[str, Digest] = {tag: image.digest for image in held.values() for tag in image.tags}
    found: dict[str, Image] = {}
    for image_id in ids:
        try:
            digest = image_id.resolve(by_tag)
        except IdInvalid:
            digest = None
        if digest not in held:
            raise ImageNotFound(call.registry, name, image_id.digest, image_id.tag)
        found[digest] = held[digest]
    return list(found.values())


def _detail(call: Call, name: str, image: Image) -> Members:
    """ECR API reference, "ImageDetail"."""
    return {
        "registryId": call.registry.account,
        "repositoryName": name,
        "imageDigest": image.digest,
        "imageTags": image.tags or None,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_type,
        "lastRecordedPullTime": image.last_pulled_at,
        "subjectManifestDigest": image.subject,
        "imageStatus": image.status,
        "lastArchivedAt": image.archived_at,
        "lastActivatedAt": image.activated_at,
    }


def _referrer(referrer: Referrer) -> Members:
    """ECR API reference, "ImageReferrer"."""
    return {
        "digest": referrer.digest,
        "mediaType": referrer.media_type,
        "artifactType": referrer.artifact_type or None,
        "size": referrer.size,
        "annotations": referrer.annotations or None,
        "artifactStatus": referrer.status,
    }


def _filter(request: Members) -> Filter:
    given = request.get("filter", {})
    return Filter(TagStatus(given.get("tagStatus", TagStatus.ANY)), _image_status(given.get("imageStatus")))


def _image_status(given: str | None) -> ImageStatus | None:
    """ECR API reference, "ListImagesFilter": without a status, those that are ACTIVE; None: ANY."""
    return None if given == "ANY" else ImageStatus(given or ImageStatus.ACTIVE)


def _refuse_paging_of_named(request: Members) -> None:
    for name in ("maxResults", "nextToken"):
        if name in request:
            raise InvalidParameter(name, f"{name} can't be used together with imageIds")
