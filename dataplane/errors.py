"""Errors as OCI Distribution 1.1 has them ("Error Codes"), with the texts that ECR answers."""

import math
from typing import ClassVar

import orjson
from aiohttp import web

from berth import errors as ecr
from berth import layers
from berth.database.db import DatabaseUnavailable
from berth.images import pulls
from berth.images.manifests import ManifestInvalid
from berth.store.contract import StoreUnavailable, UploadBusy
from berth.uploads import OutOfOrder

# Docker's CLI up to 20.10 asks of every "Determining Support", of its 401 too, that it says this; ECR's errors do.
API_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


class OciError(Exception):
    """An answer that is an error: its status, its code, its text, and headers that help the client go on."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


class NotAuthenticated(OciError):
    """Asks for a registry password. ECR user guide, "HTTP API authentication"."""

    def __init__(self, endpoint: str, message: str) -> None:
        challenge = f'Basic realm="{endpoint}/",service="ecr.amazonaws.com"'
        super().__init__(401, "UNAUTHORIZED", message, {"WWW-Authenticate": challenge})


class WrongPassword(NotAuthenticated):
    """Of somebody who gave one."""


class TooManyRequests(OciError):
    """`wait`: the seconds after which there will be room for one more."""

    def __init__(self, wait: float) -> None:
        super().__init__(429, "TOOMANYREQUESTS", "Rate exceeded", {"Retry-After": str(math.ceil(wait))})


class ManifestUnknown(OciError):
    def __init__(self) -> None:
        super().__init__(404, "MANIFEST_UNKNOWN", "Requested image not found")


class ManifestArchived(OciError):
    """ECR user guide, "Archiving an image": a pull of an archived image fails with 404."""

    def __init__(self) -> None:
        super().__init__(404, "MANIFEST_UNKNOWN", pulls.ARCHIVED)


class BlobArchived(OciError):
    def __init__(self) -> None:
        super().__init__(404, "BLOB_UNKNOWN", f"Requested layer is archived: {layers.ARCHIVED}")


class BlobUnknown(OciError):
    def __init__(self) -> None:
        super().__init__(404, "BLOB_UNKNOWN", "Requested layer not found")


class _Codes:
    """What an error of the ECR API is called on the data plane."""

    of: ClassVar[dict[type[ecr.EcrError], tuple[int, str]]] = {
        ecr.AccessDenied: (403, "DENIED"),
        ecr.RepositoryNotFound: (404, "NAME_UNKNOWN"),
        ecr.ImageTagAlreadyExists: (400, "TAG_INVALID"),
        ecr.LayersNotFound: (400, "MANIFEST_BLOB_UNKNOWN"),
        ecr.ReferencedImagesNotFound: (400, "MANIFEST_BLOB_UNKNOWN"),
        ecr.UploadNotFound: (404, "BLOB_UPLOAD_UNKNOWN"),
        ecr.InvalidLayer: (400, "DIGEST_INVALID"),
        ecr.LimitExceeded: (413, "SIZE_INVALID"),
    }


def translate(error: Exception) -> OciError | None:
    """The answer to an error of the heart; None for one that is nobody's but Berth's."""
    if isinstance(error, OciError):
        return error
    if isinstance(error, ecr.EcrError):
        status, code = _Codes.of.get(type(error), (error.status, "UNSUPPORTED"))
        return OciError(status, code, error.message)
    if isinstance(error, ManifestInvalid):
        return OciError(400, "MANIFEST_INVALID", str(error))
    if isinstance(error, OutOfOrder):
        return OciError(416, "BLOB_UPLOAD_INVALID", str(error), {"Range": upload_range(error.received)})
    if isinstance(error, UploadBusy):
        return OciError(409, "BLOB_UPLOAD_INVALID", "another request is writing to this upload")
    if isinstance(error, (DatabaseUnavailable, StoreUnavailable)):
        return OciError(503, "UNAVAILABLE", f"try again later: {_reason(error)}", {"Retry-After": "2"})
    return None


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, StoreUnavailable) else "the database does not answer"


def upload_range(received: int) -> str:
    """The Range header of an upload that has `received` bytes: the first and the last of them."""
    return f"0-{max(received - 1, 0)}"


def response(error: OciError) -> web.Response:
    body = orjson.dumps({"errors": [{"code": error.code, "message": error.message}]})
    headers = API_VERSION | error.headers
    return web.Response(status=error.status, body=body, content_type="application/json", headers=headers)


def answer_fault(status: int, message: str) -> web.Response:
    """What a request is told that is not HTTP, or that met a fault of Berth's own."""
    return response(OciError(status, "UNSUPPORTED" if status < 500 else "UNKNOWN", message))
