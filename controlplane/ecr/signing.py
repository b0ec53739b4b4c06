"""Managed signing (ECR API reference, "PutSigningConfiguration", "DescribeImageSigningStatus")."""

from collections.abc import Iterable

from berth.images import pushed
from berth.signing import configuration
from berth.signing.configuration import Rule
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import ImageId, shown
from controlplane.wire.model import Members

# Berth asks no signer: of each signature that the rules ask for it can only say that there is none.
NOT_SIGNED = {
    "status": "FAILED",
    "failureCode": "SignerUnavailable",
    "failureReason": "This registry has no signer: the image was pushed without this signature",
}


@operation("PutSigningConfiguration")
async def put_signing_configuration(call: Call, request: Members) -> Members:
    rules = await configuration.put(call.database, call.registry, request["signingConfiguration"]["rules"])
    return {"signingConfiguration": _shown(rules)}


@operation("GetSigningConfiguration")
async def get_signing_configuration(call: Call, _request: Members) -> Members:
    found = await configuration.get(call.database, call.registry)
    return {"registryId": call.registry.account, "signingConfiguration": _shown(found.rules)}


@operation("DeleteSigningConfiguration")
async def delete_signing_configuration(call: Call, _request: Members) -> Members:
    removed = await configuration.remove(call.database, call.registry)
    return {"registryId": call.registry.account, "signingConfiguration": _shown(removed.rules)}


@operation("DescribeImageSigningStatus")
async def describe_image_signing_status(call: Call, request: Members) -> Members:
    image_id = ImageId.required(request["imageId"])
    name = request["repositoryName"]
    image = await pushed.find(call.database, call.registry, name, image_id.digest, image_id.tag)
    owed = configuration.owed(await configuration.find(call.database, call.registry), image)
    return {
        "registryId": call.registry.account,
        "repositoryName": name,
        "imageId": shown(image.digest, image_id.tag),
        "signingStatuses": [{"signingProfileArn": profile, **NOT_SIGNED} for profile in owed],
    }


def _shown(rules: Iterable[Rule]) -> Members:
    return {"rules": [rule.member() for rule in rules]}
