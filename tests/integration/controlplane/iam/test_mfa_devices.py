"""Virtual MFA devices: made once, a user's by two codes in a row, listed, tagged and deleted in IAM's words."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy

from berth.database.db import Database
from berth.identity.directory import mfa_enabling
from berth.names import Registry
from berth.schema import mfa_devices
from tests.integration.controlplane.codes import code, early_in_a_step, two_in_a_row, wrong
from tests.integration.controlplane.conftest import Api

PNG = b"\x89PNG\r\n\x1a\n"
BOB = {"UserName": "bob"}
NOT_VALID = ("InvalidAuthenticationCode", "Authentication code for device is not valid.", 403)


@pytest.fixture(autouse=True)
async def while_codes_stay() -> None:
    await early_in_a_step()


@pytest.fixture
async def user(iam: Api) -> dict[str, Any]:
    made: dict[str, Any] = (await iam.create_user(**BOB, Path="/ops/"))["User"]
    return made


async def device(iam: Api, name: str = "phone", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await iam.create_virtual_mfa_device(VirtualMFADeviceName=name, **more))["VirtualMFADevice"]
    return made


async def enabled(iam: Api, name: str = "phone", user: str = "bob") -> dict[str, Any]:
    made = await device(iam, name)
    codes = two_in_a_row(made["Base32StringSeed"])
    await iam.enable_mfa_device(UserName=user, SerialNumber=made["SerialNumber"], **codes)
    return made


async def refusal(iam: Api, operation: str, **members: Any) -> tuple[str, str, int]:
    found = await iam.refused(operation, **members)
    return found.code, found.message, found.status


async def test_a_device_is_made_with_a_seed_that_is_shown_once(iam: Api, registry: Registry) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    made = await device(iam, Path="/phones/", Tags=tags)
    serial = f"arn:aws:iam::{registry.account}:mfa/phones/phone"
    assert made["SerialNumber"] == serial
    assert made["Tags"] == tags
    assert len(base64.b32decode(made["Base32StringSeed"])) == 40
    assert made["QRCodePNG"].startswith(PNG)
    listed = (await iam.list_virtual_mfa_devices())["VirtualMFADevices"]
    assert listed == [{"SerialNumber": serial}]
    assert (await iam.list_mfa_device_tags(SerialNumber=serial))["Tags"] == tags


async def test_no_two_devices_are_called_the_same(iam: Api) -> None:
    await device(iam)
    await device(iam, Path="/phones/")
    again = await refusal(iam, "create_virtual_mfa_device", VirtualMFADeviceName="phone")
    assert again == ("EntityAlreadyExists", "MFADevice entity at the same path and name already exists.", 409)
    seeds = {(await device(iam, name))["Base32StringSeed"] for name in ("a", "b", "c")}
    assert len(seeds) == 3


async def test_the_seed_is_kept_sealed(iam: Api, database: Database) -> None:
    made = await device(iam)
    asked = sqlalchemy.select(mfa_devices.c.sealed_seed).where(mfa_devices.c.serial == made["SerialNumber"])
    async with database.reading() as connection:
        sealed = (await connection.execute(asked)).scalar_one()
    assert base64.b32decode(made["Base32StringSeed"]) not in sealed
    assert made["Base32StringSeed"] not in sealed


async def test_two_codes_in_a_row_make_it_a_users(iam: Api, user: dict[str, Any]) -> None:
    made = await enabled(iam)
    serial = made["SerialNumber"]
    (mine,) = (await iam.list_mfa_devices(**BOB))["MFADevices"]
    assert abs(mine.pop("EnableDate") - datetime.now(UTC)) < timedelta(minutes=5)
    assert mine == {"UserName": "bob", "SerialNumber": serial}
    other = (await device(iam, "tablet"))["SerialNumber"]
    for status, serials in (("Assigned", [serial]), ("Unassigned", [other]), ("Any", [serial, other])):
        found = (await iam.list_virtual_mfa_devices(AssignmentStatus=status))["VirtualMFADevices"]
        assert [one["SerialNumber"] for one in found] == serials
    (listed,) = (await iam.list_virtual_mfa_devices(AssignmentStatus="Assigned"))["VirtualMFADevices"]
    assert listed["User"] == user
    for who in (BOB, {}):
        told = await iam.get_mfa_device(SerialNumber=serial, **who)
        assert (told["UserName"], told["SerialNumber"], told["EnableDate"]) == ("bob", serial, listed["EnableDate"])
    summary = (await iam.get_account_summary())["SummaryMap"]
    assert (summary["MFADevices"], summary["MFADevicesInUse"]) == (2, 1)


async def test_nothing_but_two_codes_in_a_row_does(iam: Api, user: dict[str, Any]) -> None:
    made = await device(iam)
    seed, given = made["Base32StringSeed"], {**BOB, "SerialNumber": made["SerialNumber"]}
    shown = code(seed)
    for first, second in (
        (shown, shown),
        (code(seed, 2), shown),
        (code(seed, -3), code(seed)),
        (code(seed, -1), wrong(seed)),
        (code(seed, -90), code(seed, -89)),
    ):
        codes = {"AuthenticationCode1": first, "AuthenticationCode2": second}
        assert await refusal(iam, "enable_mfa_device", **given, **codes) == NOT_VALID
    assert (await iam.list_mfa_devices(**BOB))["MFADevices"] == []


async def test_a_device_is_one_users_alone(iam: Api, user: dict[str, Any]) -> None:
    made = await enabled(iam)
    given = {"SerialNumber": made["SerialNumber"], **two_in_a_row(made["Base32StringSeed"], 0)}
    await iam.create_user(UserName="eve")
    for name in ("bob", "eve"):
        again = await refusal(iam, "enable_mfa_device", UserName=name, **given)
        assert again == ("EntityAlreadyExists", "MFA Device is already in use.", 409)
    for operation, members in (
        ("resync_mfa_device", given),
        ("deactivate_mfa_device", {"SerialNumber": made["SerialNumber"]}),
        ("get_mfa_device", {"SerialNumber": made["SerialNumber"]}),
    ):
        refused = await refusal(iam, operation, UserName="eve", **members)
        assert refused == ("NoSuchEntity", "MFA Device invalid for user.", 404)


async def test_a_user_has_eight_at_most_however_many_are_enabled_at_a_time(iam: Api, user: dict[str, Any]) -> None:
    made = [await device(iam, f"phone-{number}") for number in range(mfa_enabling.MOST_OF_USER + 2)]
    results = await asyncio.gather(
        *(
            iam.enable_mfa_device(**BOB, SerialNumber=each["SerialNumber"], **two_in_a_row(each["Base32StringSeed"]))
            for each in made
        ),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, Exception)]
    assert len(refused) == 2
    assert all("(LimitExceeded)" in str(error) for error in refused)
    pages = await iam.pages("list_mfa_devices", **BOB, PaginationConfig={"PageSize": 3})
    assert [len(page["MFADevices"]) for page in pages] == [3, 3, 2]
    pages = await iam.pages("list_virtual_mfa_devices", PaginationConfig={"PageSize": 4})
    assert [len(page["VirtualMFADevices"]) for page in pages] == [4, 4, 2]


async def test_a_user_cannot_go_before_its_device(iam: Api, user: dict[str, Any]) -> None:
    serial = (await enabled(iam))["SerialNumber"]
    conflict = ("DeleteConflict", "Cannot delete entity, must delete MFA device first.", 409)
    assert await refusal(iam, "delete_user", **BOB) == conflict
    in_use = await refusal(iam, "delete_virtual_mfa_device", SerialNumber=serial)
    assert in_use == ("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.", 409)
    await iam.deactivate_mfa_device(**BOB, SerialNumber=serial)
    assert (await iam.list_mfa_devices(**BOB))["MFADevices"] == []
    await iam.delete_virtual_mfa_device(SerialNumber=serial)
    assert (await iam.list_virtual_mfa_devices())["VirtualMFADevices"] == []
    await iam.delete_user(**BOB)


async def test_a_device_that_is_not_there_is_not_found(iam: Api, user: dict[str, Any], registry: Registry) -> None:
    codes = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000001"}
    for serial in (f"arn:aws:iam::{registry.account}:mfa/none", "GAHT12345678"):
        missing = ("NoSuchEntity", f"VirtualMFADevice with serial number {serial} does not exist.", 404)
        for operation, more in (
            ("enable_mfa_device", {**BOB, **codes}),
            ("resync_mfa_device", {**BOB, **codes}),
            ("deactivate_mfa_device", BOB),
            ("delete_virtual_mfa_device", {}),
            ("get_mfa_device", {}),
            ("list_mfa_device_tags", {}),
            ("tag_mfa_device", {"Tags": [{"Key": "a", "Value": "b"}]}),
            ("untag_mfa_device", {"TagKeys": ["a"]}),
        ):
            assert await refusal(iam, operation, SerialNumber=serial, **more) == missing, operation
    others = "arn:aws:iam::123456789012:mfa/phone"
    refused = await iam.refused("enable_mfa_device", **BOB, SerialNumber=others, **codes)
    assert refused.message == f"VirtualMFADevice with serial number {others} does not exist."
    nobody = await refusal(iam, "list_mfa_devices", UserName="nobody")
    assert nobody == ("NoSuchEntity", "The user with name nobody cannot be found.", 404)


async def test_tags_come_and_go(iam: Api) -> None:
    serial = (await device(iam))["SerialNumber"]
    await iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    await iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "A", "Value": "3"}])
    await iam.untag_mfa_device(SerialNumber=serial, TagKeys=["b", "c"])
    assert (await iam.list_mfa_device_tags(SerialNumber=serial))["Tags"] == [{"Key": "A", "Value": "3"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    refused = await refusal(iam, "tag_mfa_device", SerialNumber=serial, Tags=many)
    assert refused == ("LimitExceeded", "Cannot exceed quota for TagsPerMFADevice: 50", 409)
