"""Temporary credentials: whom they prove, for how long, and that nothing but the whole of them does."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.credentials.passwords import load_keyring
from berth.identity.principals import Session
from berth.identity.sts import sessions
from berth.names import Registry
from berth.sealing import Seal
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.sts.conftest import ANYTHING, Account, As

INVALID = "The security token included in the request is invalid."


async def seconds_of(sts: Api, **more: int) -> float:
    answer = await sts.get_session_token(**more)
    left: float = (answer["Credentials"]["Expiration"] - datetime.now(UTC)).total_seconds()
    return left


async def test_a_user_gets_credentials_for_a_while(account: Account, as_holder: As) -> None:
    user = await account.user(policy=ANYTHING)
    with as_holder("sts", user.credentials) as sts:
        assert 43190 < await seconds_of(sts) <= 43200
        assert 890 < await seconds_of(sts, DurationSeconds=900) <= 900
        assert 129590 < await seconds_of(sts, DurationSeconds=129600) <= 129600
        credentials = (await sts.get_session_token())["Credentials"]
    with as_holder("sts", credentials) as sts:
        caller = await sts.get_caller_identity()
        assert caller == {"UserId": user.id, "Account": account.id, "Arn": user.arn}
        refused = await sts.refused("get_session_token")
        assert (refused.code, refused.status) == ("AccessDenied", 403)
        assert refused.message == "Cannot call GetSessionToken with session credentials"
        assert await sts.get_access_key_info(AccessKeyId=credentials["AccessKeyId"]) == {"Account": account.id}
    with as_holder("ecr", credentials) as ecr:
        await ecr.describe_repositories()
    # Without a second factor, IAM does not take them.
    with as_holder("iam", credentials) as iam:
        assert (await iam.refused("list_users")).message == INVALID


async def test_the_root_gets_an_hour(sts: Api, as_holder: As, registry: Registry) -> None:
    assert 3590 < await seconds_of(sts) <= 3600
    assert 3590 < await seconds_of(sts, DurationSeconds=129600) <= 3600
    credentials = (await sts.get_session_token())["Credentials"]
    with as_holder("sts", credentials) as session:
        caller = await session.get_caller_identity()
        assert caller["Arn"] == f"arn:aws:iam::{registry.account}:root"


async def test_credentials_end(
    as_holder: As, root_key: AccessKey, database: Database, seal: Seal, registry: Registry
) -> None:
    now = int(time.time())
    keyring = await load_keyring(database, seal)
    session = Session(issued_at=now - 3600, expires_at=now - 1)
    old = sessions.issued(keyring, replace(root_key.principal, session=session))
    given = {"AccessKeyId": old.access_key_id, "SecretAccessKey": old.secret, "SessionToken": old.token}
    for service, operation, code, status in (
        ("sts", "get_caller_identity", "ExpiredToken", 403),
        ("ecr", "describe_repositories", "ExpiredTokenException", 400),
    ):
        with as_holder(service, given) as api, pytest.raises(api.client.exceptions.ClientError) as caught:
            await getattr(api, operation)()
        error, http = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
        assert (error["Code"], http["HTTPStatusCode"]) == (code, status)
        assert error["Message"] == "The security token included in the request is expired"


async def test_only_the_whole_credentials_are_good(sts: Api, as_holder: As, root_key: AccessKey) -> None:
    one, two = [(await sts.get_session_token())["Credentials"] for _ in range(2)]
    token = one["SessionToken"]
    changed = token[:-1] + ("A" if token[-1] != "A" else "Q")
    permanent = {"AccessKeyId": root_key.id, "SecretAccessKey": root_key.secret}
    for credentials in (
        {**one, "SessionToken": None},
        {**one, "SessionToken": two["SessionToken"]},
        {**one, "SessionToken": changed},
        {**one, "SessionToken": "FwoGZXIvYXdzE"},
        {**permanent, "SessionToken": token},
    ):
        with as_holder("sts", credentials) as holder:
            refused = await holder.refused("get_caller_identity")
            assert (refused.code, refused.message) == ("InvalidClientTokenId", INVALID)
        with as_holder("ecr", credentials) as holder:
            assert (await holder.refused("describe_registry")).code == "UnrecognizedClientException"
    with as_holder("sts", {**one, "SecretAccessKey": two["SecretAccessKey"]}) as holder:
        assert (await holder.refused("get_caller_identity")).code == "SignatureDoesNotMatch"


async def test_a_presigned_url_says_who_signed_it(account: Account, as_holder: As) -> None:
    user = await account.user()
    with as_holder("sts", user.credentials) as sts:
        temporary = (await sts.get_session_token())["Credentials"]
    for credentials in (user.credentials, temporary):
        with as_holder("sts", credentials) as sts:
            url: str = sts.client.generate_presigned_url("get_caller_identity", HttpMethod="GET")
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert answer.status == 200
            assert f"<Arn>{user.arn}</Arn>" in await answer.text()
        async with aiohttp.ClientSession() as http, http.get(f"{url}&more=1") as answer:
            assert answer.status == 403
            assert "<Code>SignatureDoesNotMatch</Code>" in await answer.text()


async def test_whose_a_key_is(sts: Api, account: Account, as_holder: As, registry: Registry) -> None:
    user = await account.user()
    key_id = user.credentials["AccessKeyId"]
    assert await sts.get_access_key_info(AccessKeyId=key_id) == {"Account": registry.account}
    with as_holder("sts", user.credentials) as own:
        assert (await own.refused("get_access_key_info", AccessKeyId=key_id)).code == "AccessDenied"
    assert (await sts.refused("get_access_key_info", AccessKeyId="AKIA" + "7" * 16)).code == "ValidationError"


async def test_a_registry_password_carries_the_session(
    account: Account, api: Api, as_holder: As, registry_url: str, registry: Registry
) -> None:
    await api.create_repository(repositoryName="team/app")
    await api.create_repository(repositoryName="team/other")
    user = await account.user(policy=ANYTHING)
    role = await account.role(account.everybody(), policy=ANYTHING)
    mine = f"arn:aws:ecr:{registry.region}:{registry.account}:repository/team/app"
    allowed = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": "ecr:ListImages", "Resource": mine},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    with as_holder("sts", user.credentials) as sts:
        wanted: dict[str, Any] = {"RoleArn": role.arn, "RoleSessionName": "ci", "Policy": policy}
        credentials = (await sts.assume_role(**wanted, DurationSeconds=900))["Credentials"]
    with as_holder("ecr", credentials) as ecr:
        (data,) = (await ecr.get_authorization_token())["authorizationData"]
    assert data["expiresAt"] == credentials["Expiration"]
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    headers = {"Authorization": f"Basic {data['authorizationToken']}"}
    base = f"{registry_url}/v2/{registry.account}/{registry.region}"
    async with aiohttp.ClientSession(headers=headers) as http:
        for name, status in (("team/app", 200), ("team/other", 403)):
            async with http.get(f"{base}/{name}/tags/list") as answer:
                assert answer.status == status, await answer.text()
    assert "because no session policy allows the ecr:ListImages action" in await _text(base, headers)
    await account.iam.delete_role_policy(RoleName="deployer", PolicyName="own")
    await account.iam.delete_role(RoleName="deployer")
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{base}/team/app/tags/list") as answer:
        assert answer.status == 403
        assert INVALID in await answer.text()


async def _text(base: str, headers: dict[str, str]) -> str:
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{base}/team/other/tags/list") as answer:
        return await answer.text()
