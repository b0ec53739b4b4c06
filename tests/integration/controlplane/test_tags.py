"""TagResource, UntagResource, ListTagsForResource."""

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api


@pytest.fixture
async def arn(api: Api) -> str:
    made = await api.create_repository(repositoryName="team/app", tags=[{"Key": "a", "Value": "1"}])
    return str(made["repository"]["repositoryArn"])


async def test_tags_are_put_on_changed_and_taken_off(api: Api, arn: str) -> None:
    tags = [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}, {"Key": "empty", "Value": ""}]
    assert await api.tag_resource(resourceArn=arn, tags=tags) == {}
    listed = await api.list_tags_for_resource(resourceArn=arn)
    assert listed == {"tags": sorted(tags, key=lambda tag: tag["Key"])}
    assert await api.untag_resource(resourceArn=arn, tagKeys=["a", "missing"]) == {}
    assert [tag["Key"] for tag in (await api.list_tags_for_resource(resourceArn=arn))["tags"]] == ["b", "empty"]


async def test_a_repository_has_at_most_fifty_tags(api: Api, arn: str) -> None:
    await api.tag_resource(resourceArn=arn, tags=[{"Key": f"k{n}", "Value": ""} for n in range(49)])
    assert (await api.refused("tag_resource", resourceArn=arn, tags=[{"Key": "z", "Value": ""}])).code == (
        "TooManyTagsException"
    )
    await api.tag_resource(resourceArn=arn, tags=[{"Key": "k0", "Value": "new"}])


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": "", "Value": ""}], "InvalidTagParameterException"),
        ([{"Key": "k" * 129, "Value": ""}], "InvalidTagParameterException"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidTagParameterException"),
        ([{"Key": "k", "Value": "<"}], "InvalidTagParameterException"),
        ([{"Key": "AWS:k", "Value": ""}], "InvalidTagParameterException"),
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "InvalidTagParameterException"),
        ([{"Key": "k"}], "InvalidParameterException"),
        ([{"Value": "v"}], "InvalidParameterException"),
    ],
)
async def test_a_tag_that_breaks_a_rule_is_refused(api: Api, arn: str, tags: list[dict[str, str]], code: str) -> None:
    assert (await api.refused("tag_resource", resourceArn=arn, tags=tags)).code == code


@pytest.mark.parametrize("operation", ["tag_resource", "untag_resource", "list_tags_for_resource"])
async def test_a_resource_that_is_none_is_refused(api: Api, registry: Registry, operation: str) -> None:
    members = {"tag_resource": {"tags": []}, "untag_resource": {"tagKeys": []}}.get(operation, {})
    for bad in (
        "",
        "team/app",
        "arn:aws:s3:::bucket",
        f"arn:aws:ecr:{registry.region}:{registry.account}:repository/A",
    ):
        refusal = await api.refused(operation, resourceArn=bad, **members)
        assert refusal.code == "InvalidParameterException"
        assert refusal.message == ("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")
    elsewhere = f"arn:aws:ecr:eu-west-3:{registry.account}:repository/team/app"
    assert "region" in (await api.refused(operation, resourceArn=elsewhere, **members)).message
    missing = await api.refused(operation, resourceArn=registry.arn("no/such"), **members)
    assert missing.code == "RepositoryNotFoundException"
