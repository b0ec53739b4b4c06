"""Scanning of images for vulnerabilities (ECR API reference, "PutImageScanningConfiguration")."""

from berth import repositories
from controlplane.call import Call, operation
from controlplane.wire.model import Members


@operation("PutImageScanningConfiguration")
async def put_image_scanning_configuration(call: Call, request: Members) -> Members:
    on = request["imageScanningConfiguration"].get("scanOnPush", False)
    repository = await repositories.set_scan_on_push(call.database, call.registry, request["repositoryName"], on)
    return {
        "registryId": call.registry.account,
        "repositoryName": repository.name,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
    }
