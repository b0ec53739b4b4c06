"""The account as a whole, and the credentials that no user of Berth has."""

from typing import Any

import pytest

from berth.database.db import Database
from berth.identity.directory import accounts
from berth.names import Registry
from berth.sealing import Seal
from tests.integration.controlplane.conftest import Api, CountedPlane, api_of


async def test_the_summary_counts_what_there_is(iam: Api) -> None:
    before = (await iam.get_account_summary())["SummaryMap"]
    assert (before["Users"], before["Groups"], before["AccountAccessKeysPresent"]) == (0, 0, 1)
    assert (before["UsersQuota"], before["AccessKeysPerUserQuota"], before["AccountMFAEnabled"]) == (5000, 2, 0)
    await iam.create_user(UserName="bob")
    await iam.create_group(GroupName="a")
    await iam.create_group(GroupName="b")
    after = (await iam.get_account_summary())["SummaryMap"]
    assert after == {**before, "Users": 1, "Groups": 2}


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("list_account_aliases", "AccountAliases"),
        ("list_mfa_devices", "MFADevices"),
        ("list_signing_certificates", "Certificates"),
        ("list_ssh_public_keys", "SSHPublicKeys"),
        ("list_service_specific_credentials", "ServiceSpecificCredentials"),
        ("list_virtual_mfa_devices", "VirtualMFADevices"),
        ("list_server_certificates", "ServerCertificateMetadataList"),
        ("list_instance_profiles", "InstanceProfiles"),
        ("list_saml_providers", "SAMLProviderList"),
    ],
)
async def test_what_nobody_has_is_listed_as_nothing(iam: Api, operation: str, member: str) -> None:
    await iam.create_user(UserName="bob")
    calls: list[dict[str, Any]] = [{}]
    if (
        "UserName"
        in iam.client.meta.service_model.operation_model(
            iam.client.meta.method_to_api_mapping[operation]
        ).input_shape.members
    ):
        calls.append({"UserName": "bob"})
    for members in calls:
        answer = await getattr(iam, operation)(**members)
        assert answer.pop(member) == []
        assert answer in ({}, {"IsTruncated": False})


async def test_an_account_has_one_alias(iam: Api, registry: Registry) -> None:
    first, second = f"first-{registry.account}", f"second-{registry.account}"
    for alias in (first, second, second):
        await iam.create_account_alias(AccountAlias=alias)
        assert await iam.list_account_aliases() == {"AccountAliases": [alias], "IsTruncated": False}
    refusal = await iam.refused("delete_account_alias", AccountAlias=first)
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == f"The account alias {first} does not exist."
    await iam.delete_account_alias(AccountAlias=second)
    assert (await iam.list_account_aliases())["AccountAliases"] == []


async def test_an_alias_is_one_accounts_alone(
    iam: Api, plane: CountedPlane, database: Database, seal: Seal, registry: Registry
) -> None:
    alias = f"alias-{registry.account}"
    await iam.create_account_alias(AccountAlias=alias)
    _, other = await accounts.create(database, seal)
    with api_of("iam", plane.url, other, registry.region) as others:
        refusal = await others.refused("create_account_alias", AccountAlias=alias)
        assert (refusal.code, refusal.status) == ("EntityAlreadyExists", 409)
        assert refusal.message == f"The account alias {alias} already exists."
        assert (await others.refused("delete_account_alias", AccountAlias=alias)).code == "NoSuchEntity"
        await iam.delete_account_alias(AccountAlias=alias)
        await others.create_account_alias(AccountAlias=alias)
        await others.delete_account_alias(AccountAlias=alias)


@pytest.mark.parametrize("alias", ["ab", "a" * 64, "-abc", "abc-", "a--b", "Abc", "a_c"])
async def test_an_alias_is_a_name_in_small_letters(iam: Api, alias: str) -> None:
    assert (await iam.refused("create_account_alias", AccountAlias=alias)).code == "ValidationError"


@pytest.mark.parametrize("operation", ["get_login_profile", "delete_login_profile"])
async def test_nobody_has_a_login_profile(iam: Api, operation: str) -> None:
    await iam.create_user(UserName="bob")
    refusal = await iam.refused(operation, UserName="bob")
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == "Login Profile for User bob cannot be found."


async def test_there_is_no_password_policy(iam: Api, registry: Registry) -> None:
    refusal = await iam.refused("get_account_password_policy")
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == f"The Password Policy with domain name {registry.account} cannot be found."


async def test_an_operation_that_berth_has_not_says_so(iam: Api) -> None:
    refusal = await iam.refused("create_login_profile", UserName="bob", Password="x")
    assert (refusal.code, refusal.status) == ("ValidationError", 400)
    assert refusal.message == "The operation CreateLoginProfile is not supported by this service"
