"""The storage class of an image (ECR API reference, "UpdateImageStorageClass")."""

from berth.images import storage_classes
from berth.images.storage_classes import ImageStatus, StorageClass
from controlplane.call import Call, operation
from controlplane.ecr.image_ids import ImageId, shown
from controlplane.wire.model import Members


@operation("UpdateImageStorageClass")
async def update_image_storage_class(call: Call, request: Members) -> Members:
    image_id = ImageId.required(request["imageId"])
    target = StorageClass(request["targetStorageClass"])
    name = request["repositoryName"]
    digest = await storage_classes.change(call.database, call.registry, name, image_id.digest, image_id.tag, target)
    return {
        "registryId": call.registry.account,
        "repositoryName": name,
        "imageId": shown(digest, image_id.tag),
        "imageStatus": ImageStatus.of(target),
    }
