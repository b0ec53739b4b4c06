"""Virtual MFA devices (IAM API reference, "CreateVirtualMFADevice" and those that follow from it)."""

from berth.errors.iam import NoSuchEntity
from berth.identity.directory import aliases, mfa_devices, mfa_enabling, names, tags
from berth.identity.directory.mfa_devices import Device
from berth.identity.mfa import enrolment
from controlplane.call import Call, operation
from controlplane.iam import shapes
from controlplane.iam.callers import user_of
from controlplane.iam.listing import Listing
from controlplane.wire.model import Members

_ASSIGNED = {"Assigned": True, "Unassigned": False, "Any": None}


@operation("CreateVirtualMFADevice", service="iam")
async def create_virtual_mfa_device(call: Call, request: Members) -> Members:
    name = request["VirtualMFADeviceName"]
    device, seed = await mfa_devices.create(
        call.database,
        call.opened.master,
        call.registry.account,
        request.get("Path", names.ROOT),
        name,
        tags.parse(request.get("Tags", [])),
    )
    account = await aliases.of(call.database, call.registry.account) or call.registry.account
    shown_once = {
        "Base32StringSeed": enrolment.text_of(seed).encode(),
        "QRCodePNG": enrolment.picture_of(enrolment.address_of(seed, name, account)),
    }
    made = {"SerialNumber": device.serial, **shown_once, "Tags": shapes.tags(device.tags) or None}
    return {"VirtualMFADevice": made}


@operation("EnableMFADevice", service="iam")
async def enable_mfa_device(call: Call, request: Members) -> Members:
    await mfa_enabling.enable(call.database, call.opened.master, call.registry.account, *_given(request))
    return {}


@operation("ResyncMFADevice", service="iam")
async def resync_mfa_device(call: Call, request: Members) -> Members:
    await mfa_enabling.resync(call.database, call.opened.master, call.registry.account, *_given(request))
    return {}


@operation("DeactivateMFADevice", service="iam")
async def deactivate_mfa_device(call: Call, request: Members) -> Members:
    user = await user_of(call, request)
    if user is None:
        raise NoSuchEntity.device_of_user()
    await mfa_enabling.deactivate(call.database, user.account, user.name, request["SerialNumber"])
    return {}


@operation("DeleteVirtualMFADevice", service="iam")
async def delete_virtual_mfa_device(call: Call, request: Members) -> Members:
    await mfa_devices.remove(call.database, call.registry.account, request["SerialNumber"])
    return {}


@operation("GetMFADevice", service="iam")
async def get_mfa_device(call: Call, request: Members) -> Members:
    user = await user_of(call, request)
    device = await mfa_devices.get(call.database, call.registry.account, request["SerialNumber"])
    # The root may ask about anybody's.
    if device.user is None or (user is not None and device.user.id != user.id):
        raise NoSuchEntity.device_of_user()
    return _of_user(device)


@operation("ListMFADevices", service="iam")
async def list_mfa_devices(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "UserName")
    user = await user_of(call, request)
    found = [] if user is None else await mfa_devices.all_of(call.database, user)
    return listing.page_of("MFADevices", found, _serial, _of_user)


@operation("ListVirtualMFADevices", service="iam")
async def list_virtual_mfa_devices(call: Call, request: Members) -> Members:
    listing = Listing(call, request, "AssignmentStatus")
    found = await mfa_devices.page(
        call.database,
        call.registry.account,
        assigned=_ASSIGNED[request.get("AssignmentStatus", "Any")],
        after=listing.after or "",
        limit=listing.limit + 1,
    )
    return listing.page("VirtualMFADevices", found, _serial, _listed)


def _given(request: Members) -> tuple[str, str, tuple[str, str]]:
    codes = request["AuthenticationCode1"], request["AuthenticationCode2"]
    return request["UserName"], request["SerialNumber"], codes


def _serial(device: Device) -> str:
    return device.serial


def _of_user(device: Device) -> Members:
    """The shape `MFADevice`."""
    return {
        "UserName": device.user and device.user.name,
        "SerialNumber": device.serial,
        "EnableDate": device.enabled_at,
    }


def _listed(device: Device) -> Members:
    """The shape `VirtualMFADevice`, without what is shown when it is made."""
    user = None if device.user is None else shapes.listed_user(device.user)
    return {"SerialNumber": device.serial, "User": user, "EnableDate": device.enabled_at}
