"""Uploads: a layer on its way into a repository, in one request or in many, over either plane."""

from berth.uploads.expiry import expire
from berth.uploads.receiving import (
    MAX_LAYER_BYTES,
    MIN_PART_BYTES,
    PART_BYTES,
    append,
    complete,
    complete_parts,
    put,
)
from berth.uploads.sessions import OutOfOrder, Session, Upload, begin, cancel, find

__all__ = [
    "MAX_LAYER_BYTES",
    "MIN_PART_BYTES",
    "PART_BYTES",
    "OutOfOrder",
    "Session",
    "Upload",
    "append",
    "begin",
    "cancel",
    "complete",
    "complete_parts",
    "expire",
    "find",
    "put",
]
