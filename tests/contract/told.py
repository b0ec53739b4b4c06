"""Which members of the outputs the answers have told."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from tests.contract import model

# What is only told of images that were scanned and of backfills that came to copy something.
NO_SCANNER = "there is no scanner yet: no image has ever been scanned"
NO_COPIES = "images are not copied yet: a backfill has no progress"
NEVER_TOLD = {
    "DescribeImageScanFindings": NO_SCANNER,
    "StartImageScan": NO_SCANNER,
    "DescribeImages.imageDetails.imageScanStatus": NO_SCANNER,
    "DescribeImages.imageDetails.imageScanFindingsSummary": NO_SCANNER,
    "DescribeReplicationBackfillResults.failureCode": NO_COPIES,
    "DescribeReplicationBackfillResults.nextToken": NO_COPIES,
    "DescribeReplicationBackfillResults.progress": NO_COPIES,
    "DescribeReplicationBackfillResults.results.": NO_COPIES,
    "ListReplicationBackfills.backfills.failureCode": NO_COPIES,
    "ListReplicationBackfills.backfills.progress": NO_COPIES,
}


def all_members() -> set[str]:
    """Every member of every output, as `ListImages.imageIds.imageTag`."""
    return {path for name, operation in model.OPERATIONS.items() for path in _members(operation.output_shape, name)}


class Told:
    """The members that were told, and the operations that succeeded; a handler of botocore's `before-parse.ecr`."""

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.operations: set[str] = set()

    def __call__(self, operation_model: OperationModel, response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == 200:
            self.operations.add(operation_model.name)
            self.members |= {*_told(json.loads(response_dict["body"]), operation_model.name)}


def _members(shape: Shape | None, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield f"{path}.{name}"
            yield from _members(member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        yield from _members(shape.member, path)


def _told(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield f"{path}.{name}"
            yield from _told(member, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _told(item, path)
