"""The services as botocore's models describe them: their operations, and the shapes in and out of each."""

from functools import cache, cached_property
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape

from controlplane.wire import parsing, serializing
from controlplane.wire.faults import UnknownOperation

# A structure of the model: members by the model's names, absent ones left out.
Members = dict[str, Any]


class Operation:
    """One operation of a service; its shapes are compiled at its first use."""

    def __init__(self, service: str, model: OperationModel) -> None:
        self.service = service
        self.model = model
        self.name: str = model.name

    def parse(self, value: Any) -> Members:
        """The members of the input, from a JSON value. Raises berth.errors.InvalidParameter, faults.Serialization."""
        members: Members = self._parse(value, "")
        return members

    def serialize(self, members: Members) -> Members:
        """The members of the output as JSON has them."""
        found: Members = self._serialize(members)
        return found

    @cached_property
    def _parse(self) -> parsing.Parse:
        return parsing.structure(self.model.input_shape or NOTHING)

    @cached_property
    def _serialize(self) -> serializing.Serialize:
        return serializing.structure(self.model.output_shape or NOTHING)


class Service:
    def __init__(self, name: str) -> None:
        self.model = ServiceModel(Loader().load_service_model(name, "service-2"), service_name=name)
        self.name = name
        self.signing_name: str = self.model.signing_name
        self.api_version: str = self.model.api_version
        self.operations = {
            operation: Operation(name, self.model.operation_model(operation))
            for operation in self.model.operation_names
        }

    def operation_of_target(self, target: str) -> Operation:
        """The operation that an `X-Amz-Target` names. Raises UnknownOperation."""
        prefix, _, name = target.rpartition(".")
        if prefix != self.model.metadata.get("targetPrefix") or name not in self.operations:
            raise UnknownOperation(
                f"There is no operation '{target[:200]}'" if target else "The header X-Amz-Target names no operation"
            )
        return self.operations[name]


@cache
def service(name: str) -> Service:
    """The service that botocore calls `name`."""
    return Service(name)


NOTHING = StructureShape("Nothing", {"type": "structure", "members": {}})
