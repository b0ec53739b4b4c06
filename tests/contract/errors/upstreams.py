"""Pull through cache rules."""

from tests.contract.errors.stage import Members, Stage, provokes

PREFIX = {"ecrRepositoryPrefix": "cached"}
NEW = {**PREFIX, "upstreamRegistryUrl": "public.ecr.aws"}
HUB = {**PREFIX, "upstreamRegistryUrl": "registry-1.docker.io"}


def secret(account: str, region: str) -> str:
    return f"arn:aws:secretsmanager:{region}:{account}:secret:ecr-pullthroughcache/hub-AbCdEf"


def of_another_region(stage: Stage) -> Members:
    return {"credentialArn": secret(stage.registry.account, "ap-south-2")}


def of_another_account(stage: Stage) -> Members:
    return {"credentialArn": secret("210987654321", stage.registry.region)}


async def existing(stage: Stage) -> None:
    own = secret(stage.registry.account, stage.registry.region)
    await stage.api.create_pull_through_cache_rule(**HUB, credentialArn=own)


@provokes("PullThroughCacheRuleAlreadyExistsException", "CreatePullThroughCacheRule")
async def created_twice(stage: Stage) -> Members:
    await stage.api.create_pull_through_cache_rule(**NEW)
    return NEW


@provokes("LimitExceededException", "CreatePullThroughCacheRule")
async def one_rule_too_many(stage: Stage) -> Members:
    for number in range(50):
        await stage.api.create_pull_through_cache_rule(**{**NEW, "ecrRepositoryPrefix": f"cached-{number}"})
    return NEW


@provokes("UnsupportedUpstreamRegistryException", "CreatePullThroughCacheRule")
async def of_an_unknown_registry(_stage: Stage) -> Members:
    return {**PREFIX, "upstreamRegistryUrl": "registry.example.com"}


@provokes("SecretNotFoundException", "CreatePullThroughCacheRule")
async def created_with_a_secret_of_another_region(stage: Stage) -> Members:
    return {**HUB, **of_another_region(stage)}


@provokes("UnableToAccessSecretException", "CreatePullThroughCacheRule")
async def created_with_a_secret_of_another_account(stage: Stage) -> Members:
    return {**HUB, **of_another_account(stage)}


@provokes("SecretNotFoundException", "UpdatePullThroughCacheRule")
async def updated_with_a_secret_of_another_region(stage: Stage) -> Members:
    await existing(stage)
    return {**PREFIX, **of_another_region(stage)}


@provokes("UnableToAccessSecretException", "UpdatePullThroughCacheRule")
async def updated_with_a_secret_of_another_account(stage: Stage) -> Members:
    await existing(stage)
    return {**PREFIX, **of_another_account(stage)}


@provokes("PullThroughCacheRuleNotFoundException", "DeletePullThroughCacheRule", "ValidatePullThroughCacheRule")
async def of_no_rule(_stage: Stage) -> Members:
    return PREFIX


@provokes("PullThroughCacheRuleNotFoundException", "DescribePullThroughCacheRules")
async def described_but_not_there(_stage: Stage) -> Members:
    return {"ecrRepositoryPrefixes": ["cached"]}


@provokes("PullThroughCacheRuleNotFoundException", "UpdatePullThroughCacheRule")
async def updated_but_not_there(stage: Stage) -> Members:
    return {**PREFIX, "credentialArn": secret(stage.registry.account, stage.registry.region)}
