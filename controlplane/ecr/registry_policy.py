"""The policy on a registry (ECR API reference, "PutRegistryPolicy")."""

from berth import registries
from berth.identity.documents import registry_document
from berth.registries import account_settings
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("PutRegistryPolicy")
async def put_registry_policy(call: Call, request: Members) -> Members:
    scope = await account_settings.policy_scope(call.database, call.registry)
    registry_document.parse(request["policyText"], scope)
    text = registry_document.normalize(request["policyText"])
    await registries.set_policy(call.database, call.registry, text)
    return _answer(call, text)


@operation("GetRegistryPolicy")
async def get_registry_policy(call: Call, _request: Members) -> Members:
    return _answer(call, await registries.get_policy(call.database, call.registry))


@operation("DeleteRegistryPolicy")
async def delete_registry_policy(call: Call, _request: Members) -> Members:
    return _answer(call, await registries.remove_policy(call.database, call.registry))


def _answer(call: Call, text: str) -> Members:
    return {"registryId": call.registry.account, "policyText": text}
