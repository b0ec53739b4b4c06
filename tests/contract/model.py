"""The ECR API as the installed botocore describes it, read by the tests for themselves."""

from typing import Any

import botocore.session
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.waiter import WaiterModel

_LOADER = Loader()
SERVICE = ServiceModel(_LOADER.load_service_model("ecr", "service-2"), "ecr")
OPERATIONS: dict[str, OperationModel] = {name: SERVICE.operation_model(name) for name in SERVICE.operation_names}
PAGINATORS: dict[str, Any] = _LOADER.load_service_model("ecr", "paginators-1")["pagination"]
WAITERS: list[str] = WaiterModel(_LOADER.load_service_model("ecr", "waiters-2")).waiter_names

SIMPLE = frozenset({"string", "integer", "long", "double", "float", "boolean", "blob", "timestamp"})


def members_of(shape: Shape | None) -> dict[str, Shape]:
    """The members of a structure; none of no shape at all."""
    return {} if shape is None else dict(shape.members)


def error_codes(operation: str) -> set[str]:
    """The codes of the errors that the model gives the operation."""
    return {error_code(shape) for shape in OPERATIONS[operation].error_shapes}


def error_code(shape: Shape) -> str:
    return str(shape.error_code or shape.name)


def method_name(operation: str) -> str:
    """What boto3 calls the operation: `put_image`."""
    return str(botocore.xform_name(operation))
