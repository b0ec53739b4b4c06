"""A code of an MFA device: good once, for whose it is, and told to policies for as long as AWS tells them."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

import listener
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.mfa import second_factors
from berth.names import Registry
from berth.schema import mfa_devices
from berth.settings import Settings
from berth.throttling.guesses import DELAY_SECONDS
from controlplane.app import make_app
from tests.integration.controlplane.codes import code, early_in_a_step, two_in_a_row, wrong
from tests.integration.controlplane.conftest import CountedPlane, api_of
from tests.integration.controlplane.sts.conftest import ANYTHING, Account, As, User

NO_DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and "
    "associated with this user."
)
LACKING = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
WRONG = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
PRESENT = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.fixture(autouse=True)
async def while_codes_stay() -> None:
    await early_in_a_step()


def allowing(action: str, **conditions: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": conditions}
    return {"Version": "2012-10-17", "Statement": statement}


async def phone_of(account: Account, user: User, name: str = "phone") -> tuple[str, bytes]:
    """The serial number and the seed of a device that is enabled for the user."""
    device = (await account.iam.create_virtual_mfa_device(VirtualMFADeviceName=name))["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"]
    await account.iam.enable_mfa_device(UserName=user.name, SerialNumber=serial, **two_in_a_row(seed))
    return serial, seed


async def session(as_holder: As, user: User, serial: str, given: str) -> dict[str, Any]:
    with as_holder("sts", user.credentials) as sts:
        answer: dict[str, Any] = await sts.get_session_token(SerialNumber=serial, TokenCode=given)
        return answer["Credentials"]  # type: ignore[no-any-return]


async def refusal(as_holder: As, credentials: dict[str, Any], operation: str = "get_session_token", **more: Any) -> str:
    with as_holder("sts", credentials) as sts:
        refused = await sts.refused(operation, **more)
    assert (refused.code, refused.status) == ("AccessDenied", 403)
    return refused.message


async def test_a_session_with_a_code_is_told_from_one_without(account: Account, as_holder: As) -> None:
    user = await account.user(policy=allowing("*", **PRESENT))
    serial, seed = await phone_of(account, user)
    with as_holder("ecr", user.credentials) as ecr:
        assert (await ecr.refused("describe_repositories")).code == "AccessDeniedException"
    with as_holder("sts", user.credentials) as sts:
        without = (await sts.get_session_token())["Credentials"]
    with as_holder("ecr", without) as ecr:
        assert (await ecr.refused("describe_repositories")).code == "AccessDeniedException"
    credentials = await session(as_holder, user, serial, code(seed))
    with as_holder("ecr", credentials) as ecr:
        await ecr.describe_repositories()
        await ecr.get_authorization_token()
    # IAM takes temporary credentials of a user with a second factor alone.
    with as_holder("iam", credentials) as iam:
        assert [each["SerialNumber"] for each in (await iam.list_mfa_devices())["MFADevices"]] == [serial]


async def test_how_long_ago_the_code_was_given_is_told(account: Account, as_holder: As) -> None:
    young = {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}
    old = {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "300"}}
    user = await account.user(policy=allowing("ecr:DescribeRepositories", **young))
    serial, seed = await phone_of(account, user)
    credentials = await session(as_holder, user, serial, code(seed))
    with as_holder("ecr", credentials) as ecr:
        await ecr.describe_repositories()
        document = json.dumps(allowing("ecr:DescribeRepositories", **old))
        await account.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document)
        assert (await ecr.refused("describe_repositories")).code == "AccessDeniedException"


async def test_a_role_that_asks_for_it_is_assumed_with_a_code(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    serial, seed = await phone_of(account, user)
    fresh = {"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}
    role = await account.role(account.everybody(**PRESENT, **fresh), policy=allowing("ecr:*", **PRESENT))
    looking = await account.role(account.everybody(**PRESENT), "looking", policy=allowing("ecr:*"))
    given = {"RoleArn": role.arn, "RoleSessionName": "ci"}
    denied = f"User: {user.arn} is not authorized to perform: sts:AssumeRole on resource: {role.arn}"
    assert await refusal(as_holder, user.credentials, "assume_role", **given) == denied
    with as_holder("sts", user.credentials) as sts:
        assumed = await sts.assume_role(**given, SerialNumber=serial, TokenCode=code(seed))
        credentials = await sts.get_session_token(SerialNumber=serial, TokenCode=code(seed, 1))
    # The session of a role says nothing of the code (IAM user guide, "Secure API access with MFA").
    with as_holder("ecr", assumed["Credentials"]) as ecr:
        assert (await ecr.refused("describe_repositories")).code == "AccessDeniedException"
    with as_holder("sts", credentials["Credentials"]) as sts:
        chained = await sts.assume_role(RoleArn=looking.arn, RoleSessionName="ci")
    with as_holder("ecr", chained["Credentials"]) as ecr:
        await ecr.describe_repositories()


async def test_a_code_is_good_once(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    serial, seed = await phone_of(account, user)
    shown = code(seed)
    results = await asyncio.gather(*(session(as_holder, user, serial, shown) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(result, dict) for result in results) == 1
    for given in (shown, code(seed, -1)):
        assert await refusal(as_holder, user.credentials, SerialNumber=serial, TokenCode=given) == WRONG
    await session(as_holder, user, serial, code(seed, 1))


async def test_a_code_is_good_for_its_own_user_alone(account: Account, as_holder: As, root_key: AccessKey) -> None:
    ada, eve = await account.user(policy=ANYTHING), await account.user("eve", policy=ANYTHING)
    serial, seed = await phone_of(account, ada)
    root = {"AccessKeyId": root_key.id, "SecretAccessKey": root_key.secret}
    role = await account.role(account.everybody(), policy=ANYTHING)
    with as_holder("sts", ada.credentials) as sts:
        assumed = (await sts.assume_role(RoleArn=role.arn, RoleSessionName="ci"))["Credentials"]
    for credentials in (eve.credentials, root):
        given = {"SerialNumber": serial, "TokenCode": code(seed)}
        assert await refusal(as_holder, credentials, **given) == NO_DEVICE
    of_role = {"RoleArn": role.arn, "RoleSessionName": "ci"}
    given = {"SerialNumber": serial, "TokenCode": code(seed)}
    assert await refusal(as_holder, assumed, "assume_role", **of_role, **given) == NO_DEVICE
    for half in ({"SerialNumber": serial}, {"TokenCode": "123456"}):
        assert await refusal(as_holder, ada.credentials, **half) == LACKING
    await account.iam.deactivate_mfa_device(UserName="ada", SerialNumber=serial)
    assert await refusal(as_holder, ada.credentials, SerialNumber=serial, TokenCode=code(seed)) == NO_DEVICE


async def test_a_clock_that_is_wrong_is_followed(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    serial, seed = await phone_of(account, user)
    given = {"SerialNumber": serial, "TokenCode": code(seed, 12)}
    assert await refusal(as_holder, user.credentials, **given) == WRONG
    await account.iam.resync_mfa_device(UserName=user.name, SerialNumber=serial, **two_in_a_row(seed, 9))
    await session(as_holder, user, serial, code(seed, 11))
    assert await refusal(as_holder, user.credentials, SerialNumber=serial, TokenCode=code(seed)) == WRONG


@pytest.fixture
async def moved(database: Database) -> Any:
    """Let the last wrong code of a device have been so long ago."""

    async def move(serial: str, by: timedelta) -> None:
        moving = sqlalchemy.update(mfa_devices).where(mfa_devices.c.serial == serial)
        async with database.transaction() as connection:
            await connection.execute(moving.values(wrong_at=mfa_devices.c.wrong_at - by))

    return move


async def test_who_guesses_is_not_looked_at_for_a_minute(account: Account, as_holder: As, moved: Any) -> None:
    user = await account.user(policy=ANYTHING)
    serial, seed = await phone_of(account, user)
    guess = {"SerialNumber": serial, "TokenCode": wrong(seed)}
    for _ in range(second_factors.MOST_WRONG):
        assert await refusal(as_holder, user.credentials, **guess) == WRONG
    # Right by now, and said to be wrong all the same.
    right = {"SerialNumber": serial, "TokenCode": code(seed)}
    assert await refusal(as_holder, user.credentials, **right) == WRONG
    await moved(serial, second_factors.PAUSE)
    assert await refusal(as_holder, user.credentials, **guess) == WRONG
    assert await refusal(as_holder, user.credentials, **right) == WRONG
    await moved(serial, second_factors.PAUSE)
    await session(as_holder, user, serial, code(seed))
    await session(as_holder, user, serial, code(seed, 1))


async def test_wrong_codes_are_answered_late(
    account: Account, plane: CountedPlane, settings: Settings, registry: Registry, root_key: AccessKey
) -> None:
    device = (await account.iam.create_virtual_mfa_device(VirtualMFADeviceName="phone"))["VirtualMFADevice"]
    await account.user()
    given = {"UserName": "ada", "SerialNumber": device["SerialNumber"]}
    wary = Settings(**{**settings.model_dump(exclude_unset=True), "wrong_credentials": 1})
    loop = asyncio.get_running_loop()
    async with listener.listening(make_app, wary, "localhost:0") as address:
        with api_of("iam", f"http://{address}", root_key, registry.region) as iam:
            moments = []
            for _ in range(3):
                codes = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}
                assert (await iam.refused("enable_mfa_device", **given, **codes)).code == "InvalidAuthenticationCode"
                moments.append(loop.time())
    assert moments[2] - moments[1] >= DELAY_SECONDS


async def test_neither_seed_nor_code_gets_into_the_log(account: Account, as_holder: As) -> None:
    with capture_logs(processors=[merge_contextvars]) as lines:
        user = await account.user(policy=ANYTHING)
        serial, seed = await phone_of(account, user)
        given = [wrong(seed), code(seed)]
        assert await refusal(as_holder, user.credentials, SerialNumber=serial, TokenCode=given[0]) == WRONG
        await session(as_holder, user, serial, given[1])
    logged = str(lines)
    assert "EnableMFADevice" in logged
    assert "GetSessionToken" in logged
    for secret in (seed.decode(), *two_in_a_row(seed).values(), *given):
        assert re.search(rf"(?<!\w){secret}(?!\w)", logged) is None
