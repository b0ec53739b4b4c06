"""Images: put, got, deleted, archived and restored."""

import re
from typing import Any

from tests.stateful.catalog import IMAGES, Image
from tests.stateful.ecr.registry import Ecr, Held, Members, Refused, Repository, operation

BY_MANIFEST = {image.manifest: image for image in IMAGES}


@operation("PutImage")
def put(ecr: Ecr, members: Members) -> Members:
    image, tag = BY_MANIFEST[members["imageManifest"]], members.get("imageTag")
    if members.get("imageDigest") not in (None, image.digest):
        raise Refused("ImageDigestDoesNotMatchException")
    repository = ecr.repository(members)
    _check_what_it_names(repository, image)
    held = repository.images.get(image.digest)
    is_restored = held is not None and held.archived
    current = repository.named.get(tag) if tag else None
    stays = current == image.digest if tag else True
    if current is not None and is_immutable(repository, str(tag)) and not (is_restored and stays):
        raise Refused("ImageTagAlreadyExistsException")
    if held is not None and not is_restored and stays:
        raise Refused("ImageAlreadyExistsException")
    if held is None:
        repository.images[image.digest] = Held(image, _size(repository, image))
    elif is_restored:
        _restore(held)
    if tag:
        repository.named[tag] = image.digest
    return {"image": _shown(ecr, repository, image, tag)}


@operation("BatchGetImage")
def get(ecr: Ecr, members: Members) -> Members:
    repository = ecr.repository(members)
    found: dict[tuple[str, str | None], Members] = {}
    failures = []
    for image_id in members["imageIds"]:
        try:
            digest = _resolve(repository, image_id)
        except Failed as failed:
            failures.append(_failure(image_id, failed.code))
            continue
        held = repository.images[digest]
        if held.archived:
            failures.append(_failure(image_id, "ImageInaccessible"))
            continue
        held.was_pulled = True
        tags: list[Any] = [image_id["imageTag"]] if "imageTag" in image_id else repository.tags_of(digest) or [None]
        found |= {(digest, tag): _shown(ecr, repository, held.image, tag) for tag in tags}
    return {"images": list(found.values()), "failures": failures}


@operation("BatchDeleteImage")
def delete(ecr: Ecr, members: Members) -> Members:
    """What a tag names is what it named when the request came."""
    repository = ecr.repository(members)
    resolved, failures = [], []
    for image_id in members["imageIds"]:
        try:
            resolved.append((image_id, _named(repository, image_id)))
        except Failed as failed:
            failures.append(_failure(image_id, failed.code))
    gone: dict[tuple[str, str | None], None] = {}
    for image_id, digest in resolved:
        tag = image_id.get("imageTag")
        if digest not in repository.images or (tag and tag not in repository.named):
            if not any(digest == other and tag in (named, None) for other, named in gone):
                failures.append(_failure(image_id, "ImageNotFound"))
        elif tag and repository.tags_of(digest) != [tag]:
            del repository.named[tag]
            gone[digest, tag] = None
        elif repository.indexes_over(digest):
            failures.append(_failure(image_id, "ImageReferencedByManifestList"))
        else:
            tags: list[Any] = [*repository.tags_of(digest)] or [None]
            gone |= dict.fromkeys((digest, named) for named in tags)
            _remove(repository, digest)
    return {"imageIds": [_id(digest, tag) for digest, tag in gone], "failures": failures}


@operation("UpdateImageStorageClass")
def update_storage_class(ecr: Ecr, members: Members) -> Members:
    repository, image_id = ecr.repository(members), members["imageId"]
    try:
        digest = _resolve(repository, image_id)
    except Failed:
        raise Refused("ImageNotFoundException") from None
    held, archive = repository.images[digest], members["targetStorageClass"] == "ARCHIVE"
    if held.archived != archive:
        hindering = (
            [index for index in repository.indexes_over(digest) if not index.archived]
            if archive
            else [child for child in held.image.children if repository.images[child.digest].archived]
        )
        if hindering:
            raise Refused("ImageStorageClassUpdateNotSupportedException")
        if archive:
            held.archived, held.was_archived = True, ecr.now()
        else:
            _restore(held)
    shown = _id(digest, image_id.get("imageTag"))
    return {**ecr.place(repository), "imageId": shown, "imageStatus": status_of(held)}


class Failed(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_immutable(repository: Repository, tag: str) -> bool:
    patterns = [re.escape(text).replace(r"\*", ".*") for text in repository.exclusions]
    excluded = any(re.fullmatch(pattern, tag) for pattern in patterns)
    return excluded != repository.mutability.startswith("IMMUTABLE")


def status_of(held: Held) -> str:
    return "ARCHIVED" if held.archived else "ACTIVE"


def _check_what_it_names(repository: Repository, image: Image) -> None:
    if any(blob.digest not in repository.layers for blob in image.blobs):
        raise Refused("LayersNotFoundException")
    for child in image.children:
        if child.digest not in repository.images or repository.images[child.digest].archived:
            raise Refused("ReferencedImagesNotFoundException")


def _size(repository: Repository, image: Image) -> int:
    """Of an image its config and layers, each once; of an index its largest image."""
    if image.children:
        return max(repository.images[child.digest].size for child in image.children)
    return sum({blob.digest: len(blob.content) for blob in image.blobs}.values())


def _restore(held: Held) -> None:
    held.archived, held.was_restored = False, True


def _named(repository: Repository, image_id: Members) -> str:
    """The digest that the id means, whether there is such an image or not. Raises Failed."""
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if digest is None and tag is None:
        raise Failed("MissingDigestAndTag")
    if tag is None:
        return str(digest)
    if tag not in repository.named:
        raise Failed("ImageNotFound")
    if digest not in (None, repository.named[tag]):
        raise Failed("ImageTagDoesNotMatchDigest")
    return repository.named[tag]


def _resolve(repository: Repository, image_id: Members) -> str:
    digest = _named(repository, image_id)
    if digest not in repository.images:
        raise Failed("ImageNotFound")
    return digest


def _remove(repository: Repository, digest: str) -> None:
    del repository.images[digest]
    for tag in [tag for tag, named in repository.named.items() if named == digest]:
        del repository.named[tag]


def _failure(image_id: Members, code: str) -> Members:
    return {"imageId": image_id, "failureCode": code}


def _id(digest: str, tag: str | None) -> Members:
    return {"imageDigest": digest, "imageTag": tag} if tag else {"imageDigest": digest}


def _shown(ecr: Ecr, repository: Repository, image: Image, tag: str | None) -> Members:
    return {
        **ecr.place(repository),
        "imageId": _id(image.digest, tag),
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }
