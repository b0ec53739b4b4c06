"""Images put, got and deleted (ECR API reference, "PutImage", "BatchGetImage", "BatchDeleteImage")."""

from collections.abc import Iterator, Mapping, Sequence

from berth import images, repositories
from berth.errors import ImageAlreadyExists, ImageDigestDoesNotMatch, InvalidParameter, ManifestsTooLong
from berth.images import Deletion, lists, manifests, pulls
from berth.images.conversion import converted
from berth.images.manifests import Manifest, ManifestInvalid
from berth.names import Digest, Tag
from berth.repositories import Repository
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import (
    IdInvalid,
    ImageId,
    failure,
    not_found,
    read_digest,
    read_tag,
    refused,
    shown,
)
from controlplane.wire.model import Members


@operation("PutImage")
async def put_image(call: Call, request: Members) -> Members:
    name = request["repositoryName"]
    try:
        digest = read_digest(request["imageDigest"]) if "imageDigest" in request else None
        tag = read_tag(request["imageTag"]) if "imageTag" in request else None
    except IdInvalid as invalid:
        raise refused(invalid) from None
    manifest = _manifest(request, digest)
    put = await images.put(call.database, call.registry, name, manifest, [tag] if tag else [])
    if not put.changed:
        raise ImageAlreadyExists(call.registry, name, manifest.digest, tag)
    image_id = shown(manifest.digest, tag)
    return {"image": _image(call, name, image_id, request["imageManifest"], manifest.media_type)}


@operation("BatchGetImage")
async def batch_get_image(call: Call, request: Members) -> Members:
    """An image that is asked for by its digest alone comes once for each of its tags."""
    name, accepted = request["repositoryName"], request.get("acceptedMediaTypes", [])
    wanted, failures = _read(request["imageIds"])
    digests = [image_id.digest for _, image_id in wanted if image_id.digest]
    names = [image_id.tag for _, image_id in wanted if image_id.tag]
    held = await pulls.find_named(call.database, call.registry, name, digests, names)
    by_tag: dict[str, Digest] = {tag: stored.digest for stored, tags in held.values() for tag in tags}
    found: dict[tuple[Digest, Tag | None], Members] = {}
    room = pulls.MOST_BYTES
    for given, image_id, digest in _resolved(wanted, by_tag, failures):
        if digest not in held:
            failures.append(not_found(given))
        elif held[digest][0].is_archived:
            failures.append(failure(given, "ImageInaccessible", pulls.ARCHIVED))
        else:
            stored, tags = held[digest]
            # Who names a digest gets the manifest that has it; who names a tag, the form that they accept.
            form = (stored.content, stored.media_type)
            content, media_type = form if image_id.digest else converted(*form, accepted)
            named = [image_id.tag] if image_id.tag else tags or [None]
            room -= len(content) * sum((digest, tag) not in found for tag in named)
            if room < 0:
                raise ManifestsTooLong(pulls.MOST_BYTES)
            text = content.decode()
            found |= {(digest, tag): _image(call, name, shown(digest, tag), text, media_type) for tag in named}
    await pulls.record(call.database, call.principal, [held[digest][0] for digest, _ in found])
    return {"images": list(found.values()), "failures": failures}


@operation("BatchDeleteImage")
async def batch_delete_image(call: Call, request: Members) -> Members:
    """By digest, an image goes with all its tags; by tag, the tag goes, and with the last one the image."""
    repository = await repositories.get(call.database, call.registry, request["repositoryName"])
    wanted, failures = _read(request["imageIds"])
    names = [image_id.tag for _, image_id in wanted if image_id.tag]
    by_tag = await lists.digests_of_tags(call.database, repository, names) if names else {}
    gone: dict[tuple[Digest, Tag | None], Members] = {}
    for given, image_id, digest in _resolved(wanted, by_tag, failures):
        deletion = await _delete(call, repository, digest, image_id.tag)
        if deletion is None:
            # What an id before this one in the same request took away is no failure.
            if not any(digest == removed and image_id.tag in (tag, None) for removed, tag in gone):
                failures.append(not_found(given))
        elif deletion.needed_by:
            failures.append(_referenced(given, deletion.needed_by))
        else:
            gone |= {(removed, tag): shown(removed, tag) for removed, tag in deletion.removed}
    return {"imageIds": list(gone.values()), "failures": failures}


def _manifest(request: Members, digest: Digest | None) -> Manifest:
    content, media_type = request["imageManifest"].encode(), request.get("imageManifestMediaType")
    try:
        manifest = manifests.parse(content, media_type, algorithm=digest.algorithm if digest else "sha256", guess=False)
    except ManifestInvalid as error:
        raise InvalidParameter("ImageManifest", str(error)) from None
    if digest and digest != manifest.digest:
        raise ImageDigestDoesNotMatch(digest, manifest.digest)
    return manifest


def _read(given: Sequence[Members]) -> tuple[list[tuple[Members, ImageId]], list[Members]]:
    """The ids of a request that name an image each, and the failures of those that do not."""
    wanted: list[tuple[Members, ImageId]] = []
    failures: list[Members] = []
    for one in given:
        try:
            wanted.append((one, ImageId.read(one)))
        except IdInvalid as invalid:
            failures.append(failure(one, invalid.code, invalid.reason))
    return wanted, failures


def _resolved(
    wanted: Sequence[tuple[Members, ImageId]], by_tag: Mapping[str, Digest], failures: list[Members]
) -> Iterator[tuple[Members, ImageId, Digest]]:
    """The ids, each with the digest that it means by the repository's tags; the others become failures."""
    for given, image_id in wanted:
        try:
            digest = image_id.resolve(by_tag)
        except IdInvalid as invalid:
            failures.append(failure(given, invalid.code, invalid.reason))
            continue
        if digest is None:
            failures.append(not_found(given))
        else:
            yield given, image_id, digest


async def _delete(call: Call, repository: Repository, digest: Digest, tag: Tag | None) -> Deletion | None:
    if tag is None:
        return await images.remove(call.database, repository, digest)
    return await images.untag(call.database, repository, tag, expected=digest)


def _referenced(given: Members, indexes: Sequence[Digest]) -> Members:
    reason = f"Requested image referenced by manifest list: [{', '.join(indexes)}]"
    return failure(given, "ImageReferencedByManifestList", reason)


def _image(call: Call, name: str, image_id: Members, manifest: str, media_type: str) -> Members:
    """ECR API reference, "Image"."""
    return {
        "registryId": call.registry.account,
        "repositoryName": name,
        "imageId": image_id,
        "imageManifest": manifest,
        "imageManifestMediaType": media_type,
    }
