"""The settings of a registry (ECR API reference, "DescribeRegistry")."""

from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("DescribeRegistry")
async def describe_registry(call: Call, _request: Members) -> Members:
    """No registry replicates anywhere: PutReplicationConfiguration is not among the operations that Berth has."""
    return {"registryId": call.registry.account, "replicationConfiguration": {"rules": []}}
