"""Every operation answers, and of what the model lets it tell, it tells all that there is."""

import json
from typing import Any

from berth.names import Registry
from tests.contract import model
from tests.contract.meaning import POLICY, REGISTRY_POLICY
from tests.contract.told import NEVER_TOLD, Told, all_members
from tests.integration.conftest import Work
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.pushing import Pushed, digest_of, index_of, push_image, push_layer

NAME = {"repositoryName": "team/app"}
ABSENT = "sha256:" + "a" * 64
FILTERS = [{"filterType": "WILDCARD", "filter": "dev-*"}]
MUTABILITY = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": FILTERS}
KEY = "key/12345678-1234-1234-1234-123456789012"
ROLE = "arn:aws:iam::123456789012:role/scanner"
PROFILE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/production"
THERE = {"region": "us-west-2", "registryId": "123456789012"}


def lifecycle(*rules: tuple[str, dict[str, str]]) -> str:
    """Of the images that each rule is about, all but the newest go its way."""
    selection = {"countType": "imageCountMoreThan", "countNumber": 1}
    of_status = {"tagged": {"tagStatus": "tagged", "tagPatternList": ["*"]}, "untagged": {"tagStatus": "untagged"}}
    written = [
        {"rulePriority": number, "selection": {**of_status[status], **selection}, "action": action}
        for number, (status, action) in enumerate(rules, 1)
    ]
    return json.dumps({"rules": written}, indent=2)


async def test_all_that_the_model_has_is_told(api: Api, registry: Registry, work: Work) -> None:
    told = Told()
    api.client.meta.events.register("before-parse.ecr", told)
    await configure(api)
    await repositories(api, registry)
    image = await images(api)
    await layers(api, image)
    await policies(api)
    await previews(api, work)
    await what_became_of(api, image)
    await upstreams(api, registry)
    await templates(api, registry)
    await delete(api)
    uncalled = model.OPERATIONS.keys() - told.operations - NEVER_TOLD.keys()
    assert not uncalled, f"the model has operations that nothing here calls: {uncalled}"
    untold = {path for path in all_members() - told.members if not path.startswith((*NEVER_TOLD,))}
    assert not untold, f"never told: {sorted(untold)}"
    grown = {path for path in told.members if path.startswith((*NEVER_TOLD,))}
    assert not grown, f"these are told by now: {sorted(grown)}"


async def configure(api: Api) -> None:
    rules: list[dict[str, Any]] = [
        {
            "destinations": [THERE],
            "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
            "deleteReplication": {"enabled": True},
        }
    ]
    await api.put_replication_configuration(replicationConfiguration={"rules": rules})
    await api.describe_registry()
    signing = {"filter": "team/*", "filterType": "WILDCARD_MATCH"}
    await api.put_signing_configuration(
        signingConfiguration={"rules": [{"signingProfileArn": PROFILE, "repositoryFilters": [signing]}]}
    )
    await api.get_signing_configuration()
    scanning = {
        "scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "team/*", "filterType": "WILDCARD"}],
    }
    await api.put_registry_scanning_configuration(scanType="ENHANCED", rules=[scanning])
    await api.get_registry_scanning_configuration()
    await api.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
    await api.get_account_setting(name="BLOB_MOUNTING")
    for number in range(2):
        await api.register_pull_time_update_exclusion(principalArn=f"{ROLE}{number}")
    await api.list_pull_time_update_exclusions(maxResults=1)
    await api.get_authorization_token()


async def repositories(api: Api, registry: Registry) -> None:
    key = {"encryptionType": "KMS", "kmsKey": f"arn:aws:kms:{registry.region}:{registry.account}:{KEY}"}
    await api.create_repository(
        **NAME,
        **MUTABILITY,
        tags=[{"Key": "team", "Value": "blue"}],
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration=key,
    )
    await api.create_repository(repositoryName="team/other")
    await api.describe_repositories(maxResults=1)
    await api.put_image_tag_mutability(**NAME, **MUTABILITY)
    await api.put_image_scanning_configuration(**NAME, imageScanningConfiguration={"scanOnPush": False})
    await api.batch_get_repository_scanning_configuration(repositoryNames=["team/app", "no/such"])
    arn = {"resourceArn": registry.arn("team/app")}
    await api.tag_resource(**arn, tags=[{"Key": "stage", "Value": "test"}])
    await api.list_tags_for_resource(**arn)
    await api.untag_resource(**arn, tagKeys=["stage"])


async def images(api: Api) -> Pushed:
    """An image that was archived and restored, has two referrers and is in an index; and others."""
    image = await push_image(api, "team/app", "v1")
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": image.digest, "size": 9}
    for number in range(2):
        await push_image(
            api,
            "team/app",
            seed=f"referrer {number}",
            subject=subject,
            artifactType="application/spdx+json",
            annotations={"made.by": "a test"},
        )
    for target in ("ARCHIVE", "STANDARD"):
        await api.update_image_storage_class(**NAME, imageId={"imageTag": "v1"}, targetStorageClass=target)
    await api.put_image(**NAME, imageManifest=index_of(image), imageTag="all")
    await api.batch_get_image(**NAME, imageIds=[{"imageTag": "v1"}, {"imageTag": "no", "imageDigest": ABSENT}])
    await api.list_images(**NAME, maxResults=1)
    await api.list_images(**NAME)
    await api.describe_images(**NAME)
    await api.describe_images(**NAME, maxResults=1)
    await api.list_image_referrers(**NAME, subjectId={"imageDigest": image.digest}, maxResults=1)
    return image


async def layers(api: Api, image: Pushed) -> None:
    layer = digest_of(b"layer of image")
    await api.batch_check_layer_availability(**NAME, layerDigests=[layer, "no digest"])
    await api.get_download_url_for_layer(**NAME, layerDigest=layer)
    await push_layer(api, "team/app", b"one more")


async def policies(api: Api) -> None:
    await api.set_repository_policy(**NAME, policyText=POLICY)
    await api.get_repository_policy(**NAME)
    await api.put_registry_policy(policyText=REGISTRY_POLICY)
    await api.get_registry_policy()
    await api.put_lifecycle_policy(**NAME, lifecyclePolicyText=lifecycle(("untagged", {"type": "expire"})))
    await api.get_lifecycle_policy(**NAME)


async def previews(api: Api, work: Work) -> None:
    archive = {"type": "transition", "targetStorageClass": "archive"}
    for seed in ("older", "newer"):
        await push_image(api, "team/app", f"dev-{seed}", seed=seed)
    rules = lifecycle(("tagged", archive), ("untagged", {"type": "expire"}))
    await api.start_lifecycle_policy_preview(**NAME, lifecyclePolicyText=rules)
    await work()
    preview = await api.get_lifecycle_policy_preview(**NAME, maxResults=1)
    assert preview["status"] == "COMPLETE"
    await api.get_lifecycle_policy_preview(**NAME)


async def what_became_of(api: Api, image: Pushed) -> None:
    named = {"imageId": {"imageDigest": image.digest, "imageTag": "v1"}}
    await api.describe_image_replication_status(**NAME, **named)
    await api.describe_image_signing_status(**NAME, **named)
    for _ in range(2):
        started = await api.start_replication_backfill(destination=THERE)
        backfill = {"replicationBackfillId": started["replicationBackfillId"]}
        await api.stop_replication_backfill(**backfill)
        await api.describe_replication_backfill_results(**backfill)
    await api.list_replication_backfills(maxResults=1)


async def upstreams(api: Api, registry: Registry) -> None:
    """A rule that has a secret, and one that has a role."""
    secret = f"arn:aws:secretsmanager:{registry.region}:{registry.account}:secret:ecr-pullthroughcache/hub-AbCdEf"
    role = f"arn:aws:iam::{registry.account}:role/cache"
    other = f"444455556666.dkr.ecr.{registry.region}.amazonaws.com"
    for rule in (
        {"upstreamRegistryUrl": "registry-1.docker.io", "credentialArn": secret},
        {"upstreamRegistryUrl": other, "customRoleArn": role, "upstreamRepositoryPrefix": "team"},
    ):
        prefix = {"ecrRepositoryPrefix": "with/secret" if "credentialArn" in rule else "with/role"}
        changed = {name: value for name, value in rule.items() if name in ("credentialArn", "customRoleArn")}
        await api.create_pull_through_cache_rule(**prefix, **rule)
        await api.update_pull_through_cache_rule(**prefix, **changed)
        await api.validate_pull_through_cache_rule(**prefix)
    await api.describe_pull_through_cache_rules()
    await api.describe_pull_through_cache_rules(maxResults=1)
    for name in ("with/secret", "with/role"):
        await api.delete_pull_through_cache_rule(ecrRepositoryPrefix=name)


async def templates(api: Api, registry: Registry) -> None:
    template = {
        "description": "of the team",
        "encryptionConfiguration": {
            "encryptionType": "KMS",
            "kmsKey": f"arn:aws:kms:{registry.region}:{registry.account}:{KEY}",
        },
        "resourceTags": [{"Key": "team", "Value": "blue"}],
        **MUTABILITY,
        "repositoryPolicy": POLICY,
        "lifecyclePolicy": lifecycle(("untagged", {"type": "expire"})),
        "appliedFor": ["CREATE_ON_PUSH"],
        "customRoleArn": f"arn:aws:iam::{registry.account}:role/templates",
    }
    for prefix in ("team", "ROOT"):
        await api.create_repository_creation_template(prefix=prefix, **template)
    await api.update_repository_creation_template(prefix="team", **template)
    await api.describe_repository_creation_templates(maxResults=1)
    await api.delete_repository_creation_template(prefix="team")


async def delete(api: Api) -> None:
    await api.batch_delete_image(**NAME, imageIds=[{"imageTag": "all"}, {"imageTag": "no", "imageDigest": ABSENT}])
    await api.delete_repository_policy(**NAME)
    await api.delete_lifecycle_policy(**NAME)
    await api.delete_repository(**NAME, force=True)
    await api.delete_registry_policy()
    await api.delete_signing_configuration()
    await api.deregister_pull_time_update_exclusion(principalArn=f"{ROLE}0")
