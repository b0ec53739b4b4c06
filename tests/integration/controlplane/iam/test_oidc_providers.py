"""OpenID Connect providers: made, told of, changed and deleted, and refused in IAM's words."""

from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api

Members = dict[str, Any]
GITHUB = "https://token.actions.githubusercontent.com"
PRINT = "0123456789abcdef0123456789ABCDEF01234567"
NAMED = "OpenIDConnectProviderArn"


async def made(iam: Api, url: str = GITHUB, **more: Any) -> str:
    arn: str = (await iam.create_open_id_connect_provider(Url=url, **more))[NAMED]
    return arn


async def test_a_provider_is_made_as_it_is_told_of(iam: Api, registry: Registry) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    given = {"ClientIDList": ["sts.amazonaws.com", "b"], "ThumbprintList": [PRINT]}
    answer = await iam.create_open_id_connect_provider(Url=GITHUB, **given, Tags=tags)
    arn = f"arn:aws:iam::{registry.account}:oidc-provider/token.actions.githubusercontent.com"
    assert answer == {NAMED: arn, "Tags": tags}
    told = await iam.get_open_id_connect_provider(**{NAMED: arn})
    told.pop("CreateDate")
    assert told == {"Url": GITHUB.removeprefix("https://"), **given, "Tags": tags}
    assert (await iam.list_open_id_connect_providers())["OpenIDConnectProviderList"] == [{"Arn": arn}]


async def test_urls_have_paths_and_ports(iam: Api, registry: Registry) -> None:
    for place in ("oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE", "localhost:8443/realms/ci", "gitlab.com"):
        arn = await made(iam, f"https://{place}")
        assert arn == f"arn:aws:iam::{registry.account}:oidc-provider/{place}"
        assert (await iam.get_open_id_connect_provider(**{NAMED: arn}))["Url"] == place


@pytest.mark.parametrize(
    "url", ["http://gitlab.com", "gitlab.com", "https://", "https://a b", "https://a.com/?x=1", "https://u:p@a.com"]
)
async def test_what_is_no_url_of_a_provider(iam: Api, url: str) -> None:
    refusal = await iam.refused("create_open_id_connect_provider", Url=url)
    assert (refusal.code, refusal.status) == ("ValidationError", 400)
    assert refusal.message == "Invalid Open ID Connect Provider URL"


async def test_a_url_is_taken_once(iam: Api) -> None:
    await made(iam)
    refusal = await iam.refused("create_open_id_connect_provider", Url=GITHUB)
    assert (refusal.code, refusal.status) == ("EntityAlreadyExists", 409)
    assert refusal.message == f"Provider with url {GITHUB} already exists."


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("get_open_id_connect_provider", {}),
        ("add_client_id_to_open_id_connect_provider", {"ClientID": "a"}),
        ("remove_client_id_from_open_id_connect_provider", {"ClientID": "a"}),
        ("update_open_id_connect_provider_thumbprint", {"ThumbprintList": [PRINT]}),
        ("tag_open_id_connect_provider", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("untag_open_id_connect_provider", {"TagKeys": ["a"]}),
        ("list_open_id_connect_provider_tags", {}),
    ],
)
async def test_a_provider_that_is_not_there(iam: Api, registry: Registry, operation: str, members: Members) -> None:
    arn = f"arn:aws:iam::{registry.account}:oidc-provider/none"
    refusal = await iam.refused(operation, **{NAMED: arn}, **members)
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == f"OpenIDConnect Provider not found for arn {arn}"
    refusal = await iam.refused(operation, **{NAMED: f"arn:aws:iam::{registry.account}:user/x"}, **members)
    assert (refusal.code, refusal.status) == ("InvalidInput", 400)


async def test_client_ids_come_and_go(iam: Api) -> None:
    arn = await made(iam, ClientIDList=["a"])
    for client_id in ("b", "b", "a"):
        await iam.add_client_id_to_open_id_connect_provider(**{NAMED: arn}, ClientID=client_id)
    assert (await iam.get_open_id_connect_provider(**{NAMED: arn}))["ClientIDList"] == ["a", "b"]
    for client_id in ("a", "a", "none"):
        await iam.remove_client_id_from_open_id_connect_provider(**{NAMED: arn}, ClientID=client_id)
    assert (await iam.get_open_id_connect_provider(**{NAMED: arn}))["ClientIDList"] == ["b"]


async def test_a_provider_has_a_hundred_client_ids_at_most(iam: Api) -> None:
    many = [f"client{number}" for number in range(100)]
    arn = await made(iam, ClientIDList=many)
    text = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"
    refusal = await iam.refused("add_client_id_to_open_id_connect_provider", **{NAMED: arn}, ClientID="more")
    assert (refusal.code, refusal.status, refusal.message) == ("LimitExceeded", 409, text)
    refusal = await iam.refused("create_open_id_connect_provider", Url="https://b.com", ClientIDList=[*many, "more"])
    assert (refusal.code, refusal.message) == ("LimitExceeded", text)


async def test_thumbprints_are_replaced(iam: Api) -> None:
    arn = await made(iam)
    assert (await iam.get_open_id_connect_provider(**{NAMED: arn}))["ThumbprintList"] == []
    await iam.update_open_id_connect_provider_thumbprint(**{NAMED: arn}, ThumbprintList=[PRINT] * 5)
    for prints in ([PRINT] * 6, ["g" * 40]):
        refusal = await iam.refused("update_open_id_connect_provider_thumbprint", **{NAMED: arn}, ThumbprintList=prints)
        assert (refusal.code, refusal.status) == ("InvalidInput", 400)
        refusal = await iam.refused("create_open_id_connect_provider", Url="https://b.com", ThumbprintList=prints)
        assert refusal.code == "InvalidInput"
    assert len((await iam.get_open_id_connect_provider(**{NAMED: arn}))["ThumbprintList"]) == 5


async def test_the_tags_of_a_provider(iam: Api) -> None:
    arn = await made(iam)
    tags = [{"Key": f"k{number:02}", "Value": ""} for number in range(50)]
    await iam.tag_open_id_connect_provider(**{NAMED: arn}, Tags=tags)
    refusal = await iam.refused("tag_open_id_connect_provider", **{NAMED: arn}, Tags=[{"Key": "x", "Value": ""}])
    assert (refusal.code, refusal.message) == (
        "LimitExceeded",
        "Cannot exceed quota for TagsPerOpenIdConnectProvider: 50",
    )
    await iam.untag_open_id_connect_provider(**{NAMED: arn}, TagKeys=[tag["Key"] for tag in tags[2:]])
    first = await iam.list_open_id_connect_provider_tags(**{NAMED: arn}, MaxItems=1)
    last = await iam.list_open_id_connect_provider_tags(**{NAMED: arn}, MaxItems=1, Marker=first["Marker"])
    assert [first["Tags"], last["Tags"], last["IsTruncated"]] == [tags[:1], tags[1:2], False]


async def test_a_provider_is_deleted_even_if_it_is_gone(iam: Api) -> None:
    arn = await made(iam)
    for _ in range(2):
        await iam.delete_open_id_connect_provider(**{NAMED: arn})
    assert (await iam.list_open_id_connect_providers())["OpenIDConnectProviderList"] == []


async def test_an_account_has_a_hundred_providers(iam: Api) -> None:
    for number in range(100):
        await made(iam, f"https://p{number}.com")
    refusal = await iam.refused("create_open_id_connect_provider", Url="https://more.com")
    assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
    assert refusal.message == "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100"
