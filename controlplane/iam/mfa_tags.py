"""Tags of virtual MFA devices (IAM API reference, "TagMFADevice", "UntagMFADevice", "ListMFADeviceTags")."""

from berth.identity.directory import mfa_devices, mfa_tags, tags
from controlplane.call import Call, operation
from controlplane.iam.listing import Listing
from controlplane.wire.model import Members


@operation("TagMFADevice", service="iam")
async def tag_mfa_device(call: Call, request: Members) -> Members:
    added = tags.parse(request["Tags"])
    await mfa_tags.add(call.database, call.registry.account, request["SerialNumber"], added)
    return {}


@operation("UntagMFADevice", service="iam")
async def untag_mfa_device(call: Call, request: Members) -> Members:
    await mfa_tags.remove(call.database, call.registry.account, request["SerialNumber"], request["TagKeys"])
    return {}


@operation("ListMFADeviceTags", service="iam")
async def list_mfa_device_tags(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "SerialNumber")
    device = await mfa_devices.get(call.database, call.registry.account, request["SerialNumber"])
    return listing.page_of_tags(device.tags)
