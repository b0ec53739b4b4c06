"""Lifecycle policies (ECR API reference, "PutLifecyclePolicy")."""

from datetime import UTC, datetime

from berth import repository_documents
from berth.lifecycle import document
from controlplane.call import Call, operation
from controlplane.wire.model import Members

# What ECR answers for a policy that has not run yet.
NEVER = datetime.fromtimestamp(0, UTC)


@operation("PutLifecyclePolicy")
async def put_lifecycle_policy(call: Call, request: Members) -> Members:
    text = document.serialize(document.parse(request["lifecyclePolicyText"]))
    await repository_documents.set_lifecycle_policy(call.database, call.registry, request["repositoryName"], text)
    return _answer(call, request, text)


@operation("GetLifecyclePolicy")
async def get_lifecycle_policy(call: Call, request: Members) -> Members:
    text, evaluated_at = await repository_documents.get_lifecycle_policy(
        call.database, call.registry, request["repositoryName"]
    )
    return {**_answer(call, request, text), "lastEvaluatedAt": evaluated_at or NEVER}


@operation("DeleteLifecyclePolicy")
async def delete_lifecycle_policy(call: Call, request: Members) -> Members:
    text, evaluated_at = await repository_documents.remove_lifecycle_policy(
        call.database, call.registry, request["repositoryName"]
    )
    return {**_answer(call, request, text), "lastEvaluatedAt": evaluated_at or NEVER}


def _answer(call: Call, request: Members, text: str) -> Members:
    return {
        "registryId": call.registry.account,
        "repositoryName": request["repositoryName"],
        "lifecyclePolicyText": text,
    }
