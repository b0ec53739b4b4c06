"""Pull through cache rules: created, described, changed, validated, deleted."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from berth.names import Registry
from berth.upstreams.rules import MAX_RULES
from tests.integration.controlplane.conftest import Api, CountedPlane

PUBLIC = {"upstreamRegistryUrl": "public.ecr.aws"}
NOT_CONTACTED = (
    "No upstream registry is contacted here, so that neither its address nor the credentials could be tried."
)


def secret(registry: Registry, name: str = "hub-AbCdEf", region: str | None = None, account: str | None = None) -> str:
    place = f"{region or registry.region}:{account or registry.account}"
    return f"arn:aws:secretsmanager:{place}:secret:ecr-pullthroughcache/{name}"


def role(registry: Registry, name: str = "cache") -> str:
    return f"arn:aws:iam::{registry.account}:role/{name}"


async def test_a_rule_is_created_described_and_deleted(api: Api, registry: Registry) -> None:
    made = await api.create_pull_through_cache_rule(ecrRepositoryPrefix="ecr-public", **PUBLIC)
    moment = made["createdAt"]
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    told = {"ecrRepositoryPrefix": "ecr-public", "registryId": registry.account, **PUBLIC, "createdAt": moment}
    assert made == {**told, "upstreamRegistry": "ecr-public"}
    described = {"pullThroughCacheRules": [{**made, "updatedAt": moment}]}
    assert await api.describe_pull_through_cache_rules() == described
    assert await api.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["ecr-public"]) == described
    assert await api.delete_pull_through_cache_rule(ecrRepositoryPrefix="ecr-public") == told
    assert await api.describe_pull_through_cache_rules() == {"pullThroughCacheRules": []}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("registry-1.docker.io", "docker-hub"),
        ("ghcr.io", "github-container-registry"),
        ("registry.gitlab.com", "gitlab-container-registry"),
        ("mine.azurecr.io", "azure-container-registry"),
        ("cgr.dev", "chainguard"),
    ],
)
async def test_a_registry_that_knows_its_callers_needs_a_secret(
    api: Api, registry: Registry, url: str, kind: str
) -> None:
    members = {"ecrRepositoryPrefix": "cached/hub", "upstreamRegistryUrl": url}
    refusal = await api.refused("create_pull_through_cache_rule", **members)
    assert (refusal.code, refusal.status) == ("UnsupportedUpstreamRegistryException", 400)
    assert refusal.message == (
        "The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN"
    )
    credential = {"credentialArn": secret(registry)}
    made = await api.create_pull_through_cache_rule(**members, upstreamRegistry=kind, **credential)
    assert (made["upstreamRegistry"], made["credentialArn"]) == (kind, credential["credentialArn"])


@pytest.mark.parametrize(("url", "kind"), [("quay.io", "quay"), ("registry.k8s.io", "k8s")])
async def test_an_open_registry_needs_none(api: Api, url: str, kind: str) -> None:
    made = await api.create_pull_through_cache_rule(ecrRepositoryPrefix="cached/", upstreamRegistryUrl=url)
    assert (made["upstreamRegistry"], made["ecrRepositoryPrefix"]) == (kind, "cached/")


async def test_the_ecr_of_another_account_needs_a_role(api: Api, registry: Registry) -> None:
    url = f"444455556666.dkr.ecr.{registry.region}.amazonaws.com"
    members = {"ecrRepositoryPrefix": "team", "upstreamRegistryUrl": url, "upstreamRepositoryPrefix": "other/team"}
    refusal = await api.refused("create_pull_through_cache_rule", **members)
    assert refusal.code == "UnsupportedUpstreamRegistryException"
    made = await api.create_pull_through_cache_rule(**members, customRoleArn=role(registry))
    assert (made["upstreamRegistry"], made["customRoleArn"]) == ("ecr", role(registry))
    assert made["upstreamRepositoryPrefix"] == "other/team"
    url = f"{registry.account}.dkr.ecr.us-west-2.amazonaws.com"
    root = {"ecrRepositoryPrefix": "ROOT", "upstreamRepositoryPrefix": "ROOT", "upstreamRegistryUrl": url}
    assert (await api.create_pull_through_cache_rule(**root))["upstreamRepositoryPrefix"] == "ROOT"
    (described,) = (await api.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["ROOT"]))[
        "pullThroughCacheRules"
    ]
    assert described["upstreamRegistryUrl"] == url


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"upstreamRegistryUrl": "registry.example.com"}, "UnsupportedUpstreamRegistryException", "isn't supported"),
        ({"upstreamRegistryUrl": "https://quay.io"}, "UnsupportedUpstreamRegistryException", "isn't supported"),
        ({"upstreamRegistry": "quay"}, "InvalidParameterException", "'upstreamRegistry'"),
        ({"upstreamRegistry": "harbor"}, "InvalidParameterException", "Member must satisfy enum value set"),
        ({"ecrRepositoryPrefix": "a"}, "InvalidParameterException", "greater than or equal to 2"),
        ({"ecrRepositoryPrefix": "a" * 31}, "InvalidParameterException", "less than or equal to 30"),
        ({"ecrRepositoryPrefix": "Root"}, "InvalidParameterException", "regular expression pattern"),
        ({"credentialArn": "arn:aws:secretsmanager:" + "x" * 50}, "InvalidParameterException", "'credentialArn'"),
        ({"customRoleArn": "arn:aws:iam::111122223333:role/r"}, "InvalidParameterException", "'customRoleArn'"),
        (
            {"ecrRepositoryPrefix": "ROOT", "upstreamRepositoryPrefix": "team"},
            "InvalidParameterException",
            "'upstreamRepositoryPrefix'",
        ),
        ({"registryId": "999999999999"}, "AccessDeniedException", "ecr:CreatePullThroughCacheRule"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(
    api: Api, members: dict[str, Any], code: str, message: str
) -> None:
    refusal = await api.refused(
        "create_pull_through_cache_rule", **{"ecrRepositoryPrefix": "cached", **PUBLIC, **members}
    )
    assert (refusal.code, refusal.status) == (code, 400)
    assert message in refusal.message
    assert (await api.describe_pull_through_cache_rules())["pullThroughCacheRules"] == []


async def test_a_secret_of_another_region_or_account_is_out_of_reach(api: Api, registry: Registry) -> None:
    hub = {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    elsewhere = {
        "SecretNotFoundException": secret(registry, region="us-west-2"),
        "UnableToAccessSecretException": secret(registry, account="999999999999"),
    }
    for code, arn in elsewhere.items():
        assert (await api.refused("create_pull_through_cache_rule", **hub, credentialArn=arn)).code == code
    await api.create_pull_through_cache_rule(**hub, credentialArn=secret(registry))
    for code, arn in elsewhere.items():
        update = {"ecrRepositoryPrefix": "hub", "credentialArn": arn}
        assert (await api.refused("update_pull_through_cache_rule", **update)).code == code
    (rule,) = (await api.describe_pull_through_cache_rules())["pullThroughCacheRules"]
    assert rule["credentialArn"] == secret(registry)


async def test_only_the_authentication_of_a_rule_can_be_changed(api: Api, registry: Registry) -> None:
    hub = {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    made = await api.create_pull_through_cache_rule(**hub, credentialArn=secret(registry, "old-AbCdEf"))
    new = secret(registry, "new-AbCdEf")
    updated = await api.update_pull_through_cache_rule(ecrRepositoryPrefix="hub/", credentialArn=new)
    moment = updated["updatedAt"]
    assert moment > made["createdAt"]
    assert updated == {
        "ecrRepositoryPrefix": "hub",
        "registryId": registry.account,
        "credentialArn": new,
        "updatedAt": moment,
    }
    (rule,) = (await api.describe_pull_through_cache_rules())["pullThroughCacheRules"]
    assert rule == {**made, "credentialArn": new, "updatedAt": moment}
    refusal = await api.refused("update_pull_through_cache_rule", ecrRepositoryPrefix="hub")
    assert refusal.code == "InvalidParameterException"
    assert refusal.message == "Invalid input: Please set either credential arn or role arn to update the credentials"
    refusal = await api.refused(
        "update_pull_through_cache_rule", ecrRepositoryPrefix="hub", customRoleArn=role(registry)
    )
    assert (refusal.code, "customRoleArn" in refusal.message) == ("InvalidParameterException", True)


async def test_a_rule_that_nobody_tried_is_not_valid_and_says_why(api: Api, registry: Registry) -> None:
    await api.create_pull_through_cache_rule(ecrRepositoryPrefix="ecr-public", **PUBLIC)
    assert await api.validate_pull_through_cache_rule(ecrRepositoryPrefix="ecr-public") == {
        "ecrRepositoryPrefix": "ecr-public",
        "registryId": registry.account,
        **PUBLIC,
        "isValid": False,
        "failure": NOT_CONTACTED,
    }


@pytest.mark.parametrize("prefix", ["cached", "cached/"])
async def test_a_prefix_has_one_rule_whether_its_slash_is_written_or_not(
    api: Api, registry: Registry, prefix: str
) -> None:
    await api.create_pull_through_cache_rule(ecrRepositoryPrefix="cached/", **PUBLIC)
    again = {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": "quay.io"}
    refusal = await api.refused("create_pull_through_cache_rule", **again)
    assert refusal.code == "PullThroughCacheRuleAlreadyExistsException"
    assert refusal.message == (
        f"The pull through cache rule with prefix '{prefix}' already exists "
        f"in the registry with id '{registry.account}'"
    )
    (rule,) = (await api.describe_pull_through_cache_rules(ecrRepositoryPrefixes=[prefix]))["pullThroughCacheRules"]
    assert rule["ecrRepositoryPrefix"] == "cached/"


async def test_a_rule_that_is_not_there_is_named(api: Api, registry: Registry) -> None:
    await api.create_pull_through_cache_rule(ecrRepositoryPrefix="cached", **PUBLIC)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("update_pull_through_cache_rule", {"ecrRepositoryPrefix": "other", "credentialArn": secret(registry)}),
        ("validate_pull_through_cache_rule", {"ecrRepositoryPrefix": "other"}),
        ("delete_pull_through_cache_rule", {"ecrRepositoryPrefix": "other"}),
        ("describe_pull_through_cache_rules", {"ecrRepositoryPrefixes": ["cached", "other", "others"]}),
    ]
    for operation, members in calls:
        refusal = await api.refused(operation, **members)
        assert (refusal.code, refusal.status) == ("PullThroughCacheRuleNotFoundException", 400)
        assert refusal.message == (
            "The pull through cache rule with prefix 'other' does not exist "
            f"in the registry with id '{registry.account}'"
        )


async def test_a_registry_has_at_most_fifty_rules_however_many_are_created_at_once(api: Api) -> None:
    for number in range(MAX_RULES - 5):
        await api.create_pull_through_cache_rule(ecrRepositoryPrefix=f"rule-{number:02}", **PUBLIC)
    answers = await asyncio.gather(
        *(api.create_pull_through_cache_rule(ecrRepositoryPrefix=f"late-{number}", **PUBLIC) for number in range(10)),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert len(refused) == 5
    assert all("LimitExceededException" in str(error) for error in refused)
    assert len((await api.describe_pull_through_cache_rules())["pullThroughCacheRules"]) == MAX_RULES
    refusal = await api.refused("create_pull_through_cache_rule", ecrRepositoryPrefix="rule-00", **PUBLIC)
    assert refusal.code == "PullThroughCacheRuleAlreadyExistsException"


async def test_rules_are_paged_in_the_order_of_their_prefixes(api: Api) -> None:
    names = ["b", "a/b", "a-b", "a.b", "ROOT", "a", "ab/"]
    prefixes = [f"0{name}" if name != "ROOT" else name for name in names]
    for prefix in prefixes:
        await api.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, **PUBLIC)
    expected = sorted(prefixes, key=lambda prefix: prefix.removesuffix("/"))
    for filters in ({}, {"ecrRepositoryPrefixes": prefixes[::-1]}):
        pages = await api.pages("describe_pull_through_cache_rules", **filters, PaginationConfig={"PageSize": 2})
        assert [len(page["pullThroughCacheRules"]) for page in pages] == [2, 2, 2, 1]
        assert [rule["ecrRepositoryPrefix"] for page in pages for rule in page["pullThroughCacheRules"]] == expected
    token = (await api.describe_pull_through_cache_rules(maxResults=1))["nextToken"]
    refusal = await api.refused(
        "describe_pull_through_cache_rules", ecrRepositoryPrefixes=["0a"], maxResults=1, nextToken=token
    )
    assert "Invalid pagination token provided" in refusal.message


@pytest.mark.parametrize(
    ("operation", "members", "number"),
    [
        ("create_pull_through_cache_rule", {"ecrRepositoryPrefix": "new", **PUBLIC}, 3),
        ("validate_pull_through_cache_rule", {"ecrRepositoryPrefix": "cached"}, 1),
        ("describe_pull_through_cache_rules", {}, 1),
        ("describe_pull_through_cache_rules", {"ecrRepositoryPrefixes": ["cached"]}, 1),
        ("delete_pull_through_cache_rule", {"ecrRepositoryPrefix": "cached"}, 1),
    ],
)
async def test_an_operation_sends_so_many_statements(
    api: Api, plane: CountedPlane, operation: str, members: dict[str, Any], number: int
) -> None:
    await api.create_pull_through_cache_rule(ecrRepositoryPrefix="cached", **PUBLIC)
    with plane.counting() as statements:
        await getattr(api, operation)(**members)
    assert len(statements) == number, "\n".join(statements)


async def test_a_change_is_one_statement(api: Api, plane: CountedPlane, registry: Registry) -> None:
    await api.create_pull_through_cache_rule(ecrRepositoryPrefix="cached", **PUBLIC)
    with plane.counting() as statements:
        await api.update_pull_through_cache_rule(ecrRepositoryPrefix="cached", credentialArn=secret(registry))
    assert len(statements) == 1, "\n".join(statements)
