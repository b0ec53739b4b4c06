"""Repositories, with their policies and tags."""

from tests.contract.errors.stage import NAME, REPOSITORY, Members, Stage, provokes
from tests.integration.controlplane.pushing import push_image


@provokes("RepositoryAlreadyExistsException", "CreateRepository")
async def created_twice(stage: Stage) -> Members:
    await stage.repository()
    return REPOSITORY


@provokes("RepositoryNotEmptyException", "DeleteRepository")
async def deleted_with_an_image(stage: Stage) -> Members:
    await stage.repository()
    await push_image(stage.api, NAME)
    return REPOSITORY


@provokes("RepositoryPolicyNotFoundException", "GetRepositoryPolicy", "DeleteRepositoryPolicy")
@provokes("LifecyclePolicyNotFoundException", "GetLifecyclePolicy", "DeleteLifecyclePolicy")
async def without_a_policy(stage: Stage) -> Members:
    await stage.repository()
    return REPOSITORY


@provokes("InvalidTagParameterException", "CreateRepository")
async def created_with_a_reserved_tag(_stage: Stage) -> Members:
    return {**REPOSITORY, "tags": [{"Key": "aws:team", "Value": "blue"}]}


@provokes("TooManyTagsException", "CreateRepository")
async def created_with_too_many_tags(_stage: Stage) -> Members:
    return {**REPOSITORY, "tags": [{"Key": str(number), "Value": ""} for number in range(51)]}


@provokes("InvalidTagParameterException", "TagResource")
async def tagged_with_a_reserved_key(stage: Stage) -> Members:
    await stage.repository()
    return {"resourceArn": stage.registry.arn(NAME), "tags": [{"Key": "aws:team", "Value": "blue"}]}


@provokes("TooManyTagsException", "TagResource")
async def tagged_once_too_often(stage: Stage) -> Members:
    await stage.repository(tags=[{"Key": str(number), "Value": ""} for number in range(50)])
    return {"resourceArn": stage.registry.arn(NAME), "tags": [{"Key": "50", "Value": ""}]}


@provokes("InvalidTagParameterException", "UntagResource")
async def untagged_of_a_reserved_key(stage: Stage) -> Members:
    await stage.repository()
    return {"resourceArn": stage.registry.arn(NAME), "tagKeys": ["aws:team"]}
