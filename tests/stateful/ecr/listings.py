"""What is in a repository, page by page."""

from typing import Any

from tests.stateful.ecr.images import status_of
from tests.stateful.ecr.registry import ANYTHING, Ecr, Held, Members, Refused, Repository, operation, page


@operation("ListImages")
def list_images(ecr: Ecr, members: Members, after: Any = None) -> Members:
    repository = ecr.repository(members)
    rows: list[tuple[str, str]] = []
    for digest, held in repository.images.items():
        if _has_status(held, members.get("filter", {})):
            rows += [(digest, tag) for tag in repository.tags_of(digest) or [""]]
    status = members.get("filter", {}).get("tagStatus", "ANY")
    rows = [row for row in rows if status == "ANY" or bool(row[1]) == (status == "TAGGED")]
    listed, more = page(sorted(rows), members.get("maxResults", 100), after)
    ids = [{"imageDigest": digest, **({"imageTag": tag} if tag else {})} for digest, tag in listed]
    return {"imageIds": ids, "nextToken": ANYTHING} if more else {"imageIds": ids}


@operation("DescribeImages")
def describe_images(ecr: Ecr, members: Members, after: Any = None) -> Members:
    repository = ecr.repository(members)
    if "imageIds" in members:
        return {"imageDetails": _named(ecr, repository, members)}
    digests = [
        digest for digest in sorted(repository.images) if _is_chosen(repository, digest, members.get("filter", {}))
    ]
    listed, more = page(digests, members.get("maxResults", 100), after)
    details = [_detail(ecr, repository, digest) for digest in listed]
    return {"imageDetails": details, "nextToken": ANYTHING} if more else {"imageDetails": details}


@operation("ListImageReferrers")
def list_referrers(ecr: Ecr, members: Members, after: Any = None) -> Members:
    """The subject need not be there."""
    repository = ecr.repository(members)
    chosen = members.get("filter", {})
    types = chosen.get("artifactTypes", [])
    found = [
        digest
        for digest, held in sorted(repository.images.items())
        if held.image.subject == members["subjectId"]["imageDigest"]
        and (not types or held.image.artifact_type in types)
        and _has_status(held, {"imageStatus": chosen.get("artifactStatus", "ACTIVE")})
    ]
    listed, more = page(found, members.get("maxResults", 20), after)
    referrers = [_referrer(repository.images[digest]) for digest in listed]
    return {"referrers": referrers, "nextToken": ANYTHING} if more else {"referrers": referrers}


def _named(ecr: Ecr, repository: Repository, members: Members) -> list[Members]:
    """Each image once; of any status, unless one is asked for."""
    found: dict[str, None] = {}
    for image_id in members["imageIds"]:
        tag = image_id.get("imageTag")
        digest = image_id.get("imageDigest") if tag is None else repository.named.get(tag)
        if digest not in repository.images or image_id.get("imageDigest") not in (None, digest):
            raise Refused("ImageNotFoundException")
        found[digest] = None
    shown = [digest for digest in found if "filter" not in members or _is_chosen(repository, digest, members["filter"])]
    return [_detail(ecr, repository, digest) for digest in shown]


def _has_status(held: Held, chosen: Members) -> bool:
    return chosen.get("imageStatus", "ACTIVE") in ("ANY", status_of(held))


def _is_chosen(repository: Repository, digest: str, chosen: Members) -> bool:
    status = chosen.get("tagStatus", "ANY")
    is_tagged = bool(repository.tags_of(digest))
    return _has_status(repository.images[digest], chosen) and (status == "ANY" or is_tagged == (status == "TAGGED"))


def _detail(ecr: Ecr, repository: Repository, digest: str) -> Members:
    held = repository.images[digest]
    told = {
        **ecr.place(repository),
        "imageDigest": digest,
        "imageTags": repository.tags_of(digest),
        "imageSizeInBytes": held.size,
        "imagePushedAt": ANYTHING,
        "imageManifestMediaType": held.image.media_type,
        "artifactMediaType": held.image.artifact_type,
        "subjectManifestDigest": held.image.subject,
        "imageStatus": status_of(held),
        "lastRecordedPullTime": ANYTHING if held.was_pulled else None,
        "lastArchivedAt": ANYTHING if held.was_archived is not None else None,
        "lastActivatedAt": ANYTHING if held.was_restored else None,
    }
    return {name: value for name, value in told.items() if value is ANYTHING or value not in (None, [])}


def _referrer(held: Held) -> Members:
    image = held.image
    return {
        "digest": image.digest,
        "mediaType": image.media_type,
        **({"artifactType": image.artifact_type} if image.artifact_type else {}),
        "size": len(image.manifest),
        **({"annotations": dict(image.annotations)} if image.annotations else {}),
        "artifactStatus": status_of(held),
    }
