"""Account settings and pull-time update exclusions."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from berth import changes
from berth.identity import own_policies
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.own_policies import Own
from berth.identity.principals import Principal
from berth.names import Registry
from tests.identities import EVERYTHING, document
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of
from tests.integration.controlplane.pushing import push_image

ROLE = "arn:aws:iam::123456789012:role/scanners/trivy"


@pytest.mark.parametrize(
    ("name", "default", "another"),
    [
        ("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE", "CLAIR"),
        ("REGISTRY_POLICY_SCOPE", "V2", "V1"),
        ("BLOB_MOUNTING", "ENABLED", "DISABLED"),
    ],
)
async def test_a_setting_has_its_default_until_it_is_put(api: Api, name: str, default: str, another: str) -> None:
    assert await api.get_account_setting(name=name) == {"name": name, "value": default}
    for value in (another, default):
        assert await api.put_account_setting(name=name, value=value) == {"name": name, "value": value}
        assert await api.get_account_setting(name=name) == {"name": name, "value": value}


async def test_settings_leave_each_other_alone(api: Api) -> None:
    put = {"BASIC_SCAN_TYPE_VERSION": "CLAIR", "REGISTRY_POLICY_SCOPE": "V1", "BLOB_MOUNTING": "DISABLED"}
    await asyncio.gather(*(api.put_account_setting(name=name, value=value) for name, value in put.items()))
    assert {name: (await api.get_account_setting(name=name))["value"] for name in put} == put


async def test_another_setting_or_value_is_refused(api: Api) -> None:
    for operation, members, parameter in (
        ("get_account_setting", {"name": "COLOUR"}, "name"),
        ("put_account_setting", {"name": "COLOUR", "value": "V1"}, "name"),
        ("put_account_setting", {"name": "REGISTRY_POLICY_SCOPE", "value": "V3"}, "value"),
        ("put_account_setting", {"name": "REGISTRY_POLICY_SCOPE", "value": "ENABLED"}, "value"),
        ("get_account_setting", {"name": ""}, "name"),
        ("get_account_setting", {"name": "N" * 65}, "name"),
    ):
        refusal = await api.refused(operation, **members)
        assert (refusal.code, refusal.status) == ("InvalidParameterException", 400)
        assert f"Invalid parameter at '{parameter}' failed to satisfy constraint: 'Member must " in refusal.message


async def test_an_exclusion_is_registered_listed_and_deregistered(api: Api, registry: Registry) -> None:
    registered = await api.register_pull_time_update_exclusion(principalArn=ROLE)
    assert registered["principalArn"] == ROLE
    assert abs(datetime.now(UTC) - registered["createdAt"]) < timedelta(minutes=1)
    assert await api.list_pull_time_update_exclusions() == {"pullTimeUpdateExclusions": [ROLE]}
    refusal = await api.refused("register_pull_time_update_exclusion", principalArn=ROLE)
    assert refusal.code == "ExclusionAlreadyExistsException"
    assert refusal.message == (
        f"The pull time update exclusion for the principal '{ROLE}' already exists "
        f"in the registry with id '{registry.account}'"
    )
    assert await api.deregister_pull_time_update_exclusion(principalArn=ROLE) == {"principalArn": ROLE}
    assert await api.list_pull_time_update_exclusions() == {"pullTimeUpdateExclusions": []}
    refusal = await api.refused("deregister_pull_time_update_exclusion", principalArn=ROLE)
    assert refusal.code == "ExclusionNotFoundException"
    assert "does not exist" in refusal.message


@pytest.mark.parametrize(
    "arn",
    [
        "trivy",
        "arn:aws:iam::123456789012:root",
        "arn:aws:sts::123456789012:assumed-role/trivy/session",
        "arn:aws:iam::123456789012:role/" + "a" * 170,
    ],
)
async def test_only_roles_and_users_are_excluded(api: Api, arn: str) -> None:
    for operation in ("register_pull_time_update_exclusion", "deregister_pull_time_update_exclusion"):
        refusal = await api.refused(operation, principalArn=arn)
        assert refusal.code == "InvalidParameterException"
        assert "Invalid parameter at 'principalArn'" in refusal.message


async def test_exclusions_are_listed_in_order_page_by_page(api: Api) -> None:
    arns = [f"arn:aws:iam::123456789012:user/{name}" for name in ("B", "a", "a/b", "c")]
    for arn in reversed(arns):
        await api.register_pull_time_update_exclusion(principalArn=arn)
    listed: list[str] = []
    page: dict[str, Any] = {"nextToken": None}
    while "nextToken" in page:
        more = {"nextToken": page["nextToken"]} if page["nextToken"] else {}
        page = await api.list_pull_time_update_exclusions(maxResults=3, **more)
        listed += page["pullTimeUpdateExclusions"]
    assert listed == arns
    for members in ({"maxResults": 0}, {"maxResults": 1001}, {"nextToken": "made up"}):
        refusal = await api.refused("list_pull_time_update_exclusions", **members)
        assert refusal.code == "InvalidParameterException"


async def test_a_registry_has_100_exclusions_at_most(api: Api) -> None:
    arns = [f"arn:aws:iam::123456789012:role/r{number:03}" for number in range(100)]
    for arn in arns[:98]:
        await api.register_pull_time_update_exclusion(principalArn=arn)
    others = [f"arn:aws:iam::123456789012:role/late{number}" for number in range(4)]
    outcomes = await asyncio.gather(
        *(api.register_pull_time_update_exclusion(principalArn=arn) for arn in others), return_exceptions=True
    )
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 2
    refusal = await api.refused("register_pull_time_update_exclusion", principalArn=arns[99])
    assert refusal.code == "LimitExceededException"
    assert len((await api.list_pull_time_update_exclusions())["pullTimeUpdateExclusions"]) == 100


@pytest.mark.parametrize(
    ("puller", "excluded", "counts"),
    [
        ("arn:aws:iam::{account}:user/bob", "arn:aws:iam::{account}:user/bob", False),
        ("arn:aws:iam::{account}:user/bob", "arn:aws:iam::{account}:user/bobby", True),
        ("arn:aws:sts::{account}:assumed-role/trivy/scan", "arn:aws:iam::{account}:role/scanners/trivy", False),
        ("arn:aws:sts::{account}:assumed-role/trivy/scan", "arn:aws:iam::{account}:role/trivy", False),
        ("arn:aws:sts::{account}:assumed-role/trivy/scan", "arn:aws:iam::{account}:role/my-trivy", True),
        ("arn:aws:sts::{account}:assumed-role/a_b/scan", "arn:aws:iam::{account}:role/a-b", True),
        ("arn:aws:sts::{account}:assumed-role/trivy/scan", "arn:aws:iam::999999999999:role/trivy", True),
        ("arn:aws:iam::{account}:root", "arn:aws:iam::{account}:user/root", True),
    ],
)
async def test_the_pulls_of_an_excluded_principal_do_not_count(
    api: Api,
    plane: CountedPlane,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    puller: str,
    excluded: str,
    counts: bool,
) -> None:
    await api.create_repository(repositoryName="team/app")
    await push_image(api, "team/app", "v1")
    await api.register_pull_time_update_exclusion(principalArn=excluded.format(account=registry.account))
    principal = Principal(registry.account, puller.format(account=registry.account), "AIDA", f"AKIA{registry.account}")
    key = AccessKey(principal.access_key_id, "a secret", principal)
    found = access_keys.find
    own = Own(principal.arn, "", {}, [("all", document(EVERYTHING))], None, None, None, (changes.NEVER,))

    async def find(database: Any, seal: Any, access_key_id: str) -> AccessKey | None:
        return key if access_key_id == key.id else await found(database, seal, access_key_id)

    monkeypatch.setattr(access_keys, "find", find)
    find_own = own_policies.find

    async def of_key(database: Any, principal: Principal) -> Own | None:
        return own if principal.access_key_id == key.id else await find_own(database, principal)

    monkeypatch.setattr(own_policies, "find", of_key)
    with api_of("ecr", plane.url, key, registry.region) as pulling:
        got = await pulling.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    assert len(got["images"]) == 1
    (detail,) = (await api.describe_images(repositoryName="team/app"))["imageDetails"]
    assert ("lastRecordedPullTime" in detail) == counts


async def test_the_statements_of_each_operation(api: Api, plane: CountedPlane) -> None:
    setting = {"name": "REGISTRY_POLICY_SCOPE"}
    for operation, members, number in (
        ("get_account_setting", setting, 1),
        ("put_account_setting", {**setting, "value": "V1"}, 2),
        ("register_pull_time_update_exclusion", {"principalArn": ROLE}, 3),
        ("list_pull_time_update_exclusions", {}, 1),
        ("deregister_pull_time_update_exclusion", {"principalArn": ROLE}, 2),
    ):
        await plane.hears()
        await api.describe_registry()  # The caller, and what is written on the registry, are known from now on.
        with plane.counting() as statements:
            await getattr(api, operation)(**members)
        assert len(statements) == number, "\n".join(statements)
