"""Policies on repositories (ECR API reference, "SetRepositoryPolicy")."""

from berth.errors import InvalidParameter
from berth.identity.documents import ecr_document
from berth.identity.documents.lock_out import locks_out
from berth.repositories import documents
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("SetRepositoryPolicy")
async def set_repository_policy(call: Call, request: Members) -> Members:
    policy = ecr_document.parse(request["policyText"])
    if not request.get("force", False) and locks_out(policy, call.principal.arn):
        raise InvalidParameter(
            "PolicyText",
            "The repository policy would prevent you from setting another one; to set it all the same, use force",
        )
    text = ecr_document.normalize(request["policyText"])
    await documents.set_policy(call.database, call.registry, request["repositoryName"], text)
    return _answer(call, request, text)


@operation("GetRepositoryPolicy")
async def get_repository_policy(call: Call, request: Members) -> Members:
    text = await documents.get_policy(call.database, call.registry, request["repositoryName"])
    return _answer(call, request, text)


@operation("DeleteRepositoryPolicy")
async def delete_repository_policy(call: Call, request: Members) -> Members:
    text = await documents.remove_policy(call.database, call.registry, request["repositoryName"])
    return _answer(call, request, text)


def _answer(call: Call, request: Members, text: str) -> Members:
    return {"registryId": call.registry.account, "repositoryName": request["repositoryName"], "policyText": text}
