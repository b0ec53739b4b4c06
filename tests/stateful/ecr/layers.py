"""Layers, and the uploads that become them."""

from tests.stateful.catalog import BLOBS, DOCKER_LAYER, digest_of
from tests.stateful.ecr.registry import ANYTHING, Ecr, Held, Members, Refused, Repository, Upload, operation

SMALLEST_PART = 5 * 1024 * 1024
MEDIA_TYPES = {blob.digest: blob.media_type for blob in BLOBS}


@operation("InitiateLayerUpload")
def initiate(ecr: Ecr, members: Members) -> Members:
    """The id of the upload is told afterwards, by `began`."""
    ecr.repository(members)
    return {"uploadId": ANYTHING, "partSize": 10 * 1024 * 1024}


def began(ecr: Ecr, name: str, upload_id: str) -> None:
    ecr.repositories[name].uploads[upload_id] = Upload()


@operation("UploadLayerPart")
def upload_part(ecr: Ecr, members: Members) -> Members:
    repository, upload = _upload(ecr, members)
    first, last, part = members["partFirstByte"], members["partLastByte"], members["layerPartBlob"]
    if first != len(upload.content) or last != first + len(part) - 1 or not part:
        raise Refused("InvalidLayerPartException")
    upload.small_part_before_another |= upload.last_part_is_small
    upload.last_part_is_small = len(part) < SMALLEST_PART
    upload.content += part
    return {**ecr.place(repository), "uploadId": members["uploadId"], "lastByteReceived": last}


@operation("CompleteLayerUpload")
def complete(ecr: Ecr, members: Members) -> Members:
    repository, upload = _upload(ecr, members)
    (digest,) = members["layerDigests"]
    if not upload.content:
        raise Refused("EmptyUploadException")
    if upload.small_part_before_another:
        raise Refused("LayerPartTooSmallException")
    if digest != digest_of(upload.content):
        raise Refused("InvalidLayerException")
    is_there = availability(repository, digest) == "AVAILABLE"
    if not is_there:
        repository.layers[digest] = (len(upload.content), ecr.now())
    del repository.uploads[members["uploadId"]]
    if is_there:
        raise Refused("LayerAlreadyExistsException")
    return {**ecr.place(repository), "uploadId": members["uploadId"], "layerDigest": digest}


@operation("BatchCheckLayerAvailability")
def check(ecr: Ecr, members: Members) -> Members:
    repository = ecr.repository(members)
    return {"layers": [_shown(repository, digest) for digest in dict.fromkeys(members["layerDigests"])], "failures": []}


@operation("GetDownloadUrlForLayer")
def download_url(ecr: Ecr, members: Members) -> Members:
    repository, digest = ecr.repository(members), members["layerDigest"]
    state = availability(repository, digest)
    if state == "UNAVAILABLE":
        raise Refused("LayersNotFoundException")
    if state == "ARCHIVED" or not _images_of(repository, digest):
        raise Refused("LayerInaccessibleException")
    return {"downloadUrl": ANYTHING, "layerDigest": digest}


def availability(repository: Repository, digest: str) -> str:
    """A layer is archived with the last of its images, until it is pushed again."""
    if digest not in repository.layers:
        return "UNAVAILABLE"
    pushed = repository.layers[digest][1]
    archived = [held.was_archived if held.archived else None for held in _images_of(repository, digest)]
    when = [moment for moment in archived if moment is not None]
    gone = bool(archived) and len(when) == len(archived) and max(when) > pushed
    return "ARCHIVED" if gone else "AVAILABLE"


def _shown(repository: Repository, digest: str) -> Members:
    state = availability(repository, digest)
    if state == "UNAVAILABLE":
        return {"layerDigest": digest, "layerAvailability": state}
    media_type = MEDIA_TYPES[digest] if _images_of(repository, digest) else DOCKER_LAYER
    size = repository.layers[digest][0]
    return {"layerDigest": digest, "layerAvailability": state, "layerSize": size, "mediaType": media_type}


def _images_of(repository: Repository, digest: str) -> list[Held]:
    return [held for held in repository.images.values() if digest in {blob.digest for blob in held.image.blobs}]


def _upload(ecr: Ecr, members: Members) -> tuple[Repository, Upload]:
    repository = ecr.repository(members)
    if members["uploadId"] not in repository.uploads:
        raise Refused("UploadNotFoundException")
    return repository, repository.uploads[members["uploadId"]]
