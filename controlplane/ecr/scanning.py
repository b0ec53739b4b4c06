"""Scanning of images for vulnerabilities (ECR API reference, "PutRegistryScanningConfiguration", "StartImageScan")."""

from berth import repositories
from berth.errors import (
    ImageArchived,
    ImageNotFound,
    ScanningDisabled,
    ScanNotFound,
    UnsupportedImageType,
)
from berth.scanning import state
from berth.scanning.configuration import Configuration, ScanType, filters_as_json
from berth.scanning.state import RepositoryScanning, Target
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import ImageId
from controlplane.wire.model import Members

NOT_FOUND = "REPOSITORY_NOT_FOUND"


@operation("PutImageScanningConfiguration")
async def put_image_scanning_configuration(call: Call, request: Members) -> Members:
    """The repository's own setting, which counts where the registry's scanning is basic and no filter of it matches."""
    on = request["imageScanningConfiguration"].get("scanOnPush", False)
    repository = await repositories.set_scan_on_push(call.database, call.registry, request["repositoryName"], on)
    return {
        "registryId": call.registry.account,
        "repositoryName": repository.name,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
    }


@operation("PutRegistryScanningConfiguration")
async def put_registry_scanning_configuration(call: Call, request: Members) -> Members:
    configuration = Configuration.of(request.get("scanType", ScanType.BASIC), request.get("rules", []))
    await state.put(call.database, call.registry, configuration)
    return {"registryScanningConfiguration": _described(configuration)}


@operation("GetRegistryScanningConfiguration")
async def get_registry_scanning_configuration(call: Call, _request: Members) -> Members:
    configuration = await state.get(call.database, call.registry)
    return {"registryId": call.registry.account, "scanningConfiguration": _described(configuration)}


@operation("BatchGetRepositoryScanningConfiguration")
async def batch_get_repository_scanning_configuration(call: Call, request: Members) -> Members:
    names = dict.fromkeys(request["repositoryNames"])
    found = await state.of_repositories(call.database, call.registry, list(names))
    return {
        "scanningConfigurations": [_of_repository(found[name]) for name in names if name in found],
        "failures": [
            {"repositoryName": name, "failureCode": NOT_FOUND, "failureReason": NOT_FOUND}
            for name in names
            if name not in found
        ],
    }


@operation("StartImageScan")
async def start_image_scan(call: Call, request: Members) -> Members:
    """No scan is started, because there is nothing that would scan: ECR's own answer where it may not is given."""
    target = await _target(call, request, ImageId.required(request["imageId"]))
    if target.archived:
        raise ImageArchived
    if not target.can_be_scanned:
        raise UnsupportedImageType(target.shown_type)
    raise ScanningDisabled


@operation("DescribeImageScanFindings")
async def describe_image_scan_findings(call: Call, request: Members) -> Members:
    """No image has ever been scanned, so that there are neither findings nor a second page of them."""
    image_id = ImageId.required(request["imageId"])
    call.pages(request, "repositoryName", "imageId").after(request.get("nextToken"))
    await _target(call, request, image_id)
    raise ScanNotFound(call.registry, request["repositoryName"], image_id.digest, image_id.tag)


async def _target(call: Call, request: Members, image_id: ImageId) -> Target:
    """Raises RepositoryNotFound, ImageNotFound."""
    name = request["repositoryName"]
    target = await state.find(call.database, call.registry, name, image_id.digest, image_id.tag)
    if target is None:
        raise ImageNotFound(call.registry, name, image_id.digest, image_id.tag)
    return target


def _described(configuration: Configuration) -> Members:
    """ECR API reference, "RegistryScanningConfiguration"."""
    return {"scanType": configuration.scan_type, "rules": configuration.rules_as_json()}


def _of_repository(repository: RepositoryScanning) -> Members:
    """ECR API reference, "RepositoryScanningConfiguration"."""
    applied = repository.configuration.apply(repository.name, scan_on_push=repository.scan_on_push)
    return {
        "repositoryArn": repository.registry.arn(repository.name),
        "repositoryName": repository.name,
        "scanOnPush": repository.scan_on_push,
        "scanFrequency": applied.frequency,
        "appliedScanFilters": filters_as_json(applied.filters),
    }
