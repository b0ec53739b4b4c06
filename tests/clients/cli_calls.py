"""What `aws ecr` is asked, subcommand by subcommand, in the order of a registry's life, and what it must say.

`$name` stands for what the test gives (a repository's name, digests, files) or an earlier call's answer has told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NONE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Call:
    """One `aws ecr WORDS`: what JMESPath finds in its answer, what later calls need of it, or its error."""

    words: str
    says: Mapping[str, Any] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""

    @property
    def subcommand(self) -> str:
        """`describe-images`, or `wait image-scan-complete`."""
        words = self.words.split()
        return " ".join(words[: 2 if words[0] == "wait" else 1])


def on(repository_words: str, says: Mapping[str, Any] = NONE, refused: str = "", **keeps: str) -> Call:
    """A call about the repository."""
    return Call(f"{repository_words} --repository-name $repository", says, keeps, refused)


REPOSITORY = (
    on(
        "create-repository --tags Key=team,Value=harbour",
        {"repository.registryId": "$account", "repository.imageTagMutability": "MUTABLE"},
        arn="repository.repositoryArn",
        uri="repository.repositoryUri",
    ),
    on("create-repository", refused="RepositoryAlreadyExistsException"),
    Call("describe-repositories --repository-names $repository", {"repositories[].repositoryUri": ["$uri"]}),
    Call("list-tags-for-resource --resource-arn $arn", {"tags": [{"Key": "team", "Value": "harbour"}]}),
    Call("tag-resource --resource-arn $arn --tags Key=berth,Value=7"),
    Call("untag-resource --resource-arn $arn --tag-keys team"),
    Call("list-tags-for-resource --resource-arn $arn", {"tags": [{"Key": "berth", "Value": "7"}]}),
    on("put-image-scanning-configuration --image-scanning-configuration scanOnPush=true"),
    on("put-image-tag-mutability --image-tag-mutability IMMUTABLE", {"imageTagMutability": "IMMUTABLE"}),
    on("set-repository-policy --policy-text file://repository-policy.json", {"repositoryName": "$repository"}),
    on("get-repository-policy", {"contains(policyText, 'ecr:BatchGetImage')": True}),
    on("delete-repository-policy", {"registryId": "$account"}),
    on("get-repository-policy", refused="RepositoryPolicyNotFoundException"),
)

LOGIN = (
    Call("get-authorization-token", {"authorizationData[].proxyEndpoint": ["http://$host"]}),
    Call("get-login-password", {"length(@) > `100`": True}),
    Call(
        "get-login --no-include-email",
        {"starts_with(@, 'docker login -u AWS -p ')": True, "ends_with(@, ' http://$host')": True},
    ),
)

PUSH = (
    on("batch-check-layer-availability --layer-digests $layer", {"layers[].layerAvailability": ["UNAVAILABLE"]}),
    on("initiate-layer-upload", {"partSize > `0`": True}, upload="uploadId"),
    on(
        "upload-layer-part --upload-id $upload --part-first-byte 0 --part-last-byte $layer_end"
        " --layer-part-blob fileb://layer",
        {"uploadId": "$upload"},
    ),
    on("complete-layer-upload --upload-id $upload --layer-digests $layer", {"layerDigest": "$layer"}),
    on("initiate-layer-upload", upload="uploadId"),
    on(
        "upload-layer-part --upload-id $upload --part-first-byte 0 --part-last-byte $config_end"
        " --layer-part-blob fileb://config",
    ),
    on("complete-layer-upload --upload-id $upload --layer-digests $config", {"layerDigest": "$config"}),
    on("batch-check-layer-availability --layer-digests $layer", {"layers[].layerAvailability": ["AVAILABLE"]}),
    on("put-image --image-tag v1 --image-manifest file://image.json", {"image.imageId.imageDigest": "$image"}),
    on("put-image --image-manifest file://referrer.json", {"image.imageId.imageDigest": "$referrer"}),
    on(
        "put-image --image-tag v1 --image-manifest file://referrer.json",
        refused="ImageTagAlreadyExistsException",
    ),
)

IMAGES = (
    on("list-images --filter tagStatus=TAGGED", {"imageIds": [{"imageDigest": "$image", "imageTag": "v1"}]}),
    on("describe-images --image-ids imageTag=v1", {"imageDetails[].[imageDigest, imageTags]": [["$image", ["v1"]]]}),
    on("batch-get-image --image-ids imageTag=v1 imageTag=v2", {"failures[].failureCode": ["ImageNotFound"]}),
    on("list-image-referrers --subject-id imageDigest=$image", {"referrers[].digest": ["$referrer"]}),
    on("get-download-url-for-layer --layer-digest $layer", {"starts_with(downloadUrl, 'http://$host/')": True}),
    on("describe-image-replication-status --image-id imageTag=v1", {"replicationStatuses": []}),
    on("describe-image-signing-status --image-id imageTag=v1", {"signingStatuses": []}),
    on("start-image-scan --image-id imageTag=missing", refused="ImageNotFoundException"),
    # nothing scans yet: no scan is begun, and there are no findings to describe or to wait for
    on("start-image-scan --image-id imageTag=v1", refused="ValidationException"),
    on("describe-image-scan-findings --image-id imageTag=v1", refused="ScanNotFoundException"),
    on("wait image-scan-complete --image-id imageTag=v1", refused="ScanNotFoundException"),
    on(
        "update-image-storage-class --target-storage-class ARCHIVE --image-id imageTag=v1",
        {"imageStatus": "ARCHIVED"},
    ),
    on("update-image-storage-class --target-storage-class STANDARD --image-id imageTag=v1"),
)

LIFECYCLE = (
    on("get-lifecycle-policy", refused="LifecyclePolicyNotFoundException"),
    on("put-lifecycle-policy --lifecycle-policy-text file://lifecycle-policy.json", {"repositoryName": "$repository"}),
    on("get-lifecycle-policy", {"contains(lifecyclePolicyText, 'imageCountMoreThan')": True}),
    on("start-lifecycle-policy-preview", {"status": "IN_PROGRESS"}),
    on("wait lifecycle-policy-preview-complete"),
    on("get-lifecycle-policy-preview", {"status": "COMPLETE"}),
    on("delete-lifecycle-policy", {"repositoryName": "$repository"}),
)

REGISTRY = (
    Call("put-account-setting --name BLOB_MOUNTING --value DISABLED", {"value": "DISABLED"}),
    Call("get-account-setting --name BLOB_MOUNTING", {"value": "DISABLED"}),
    Call("put-account-setting --name BLOB_MOUNTING --value ENABLED", {"value": "ENABLED"}),
    Call("put-registry-policy --policy-text file://registry-policy.json", {"registryId": "$account"}),
    Call("get-registry-policy", {"contains(policyText, 'ecr:ReplicateImage')": True}),
    Call("delete-registry-policy", {"registryId": "$account"}),
    Call("get-registry-policy", refused="RegistryPolicyNotFoundException"),
    Call(
        "put-registry-scanning-configuration --scan-type BASIC --rules"
        " scanFrequency=SCAN_ON_PUSH,repositoryFilters=[{filter=prod,filterType=WILDCARD}]",
        {"registryScanningConfiguration.scanType": "BASIC"},
    ),
    Call("get-registry-scanning-configuration", {"scanningConfiguration.rules[].scanFrequency": ["SCAN_ON_PUSH"]}),
    Call(
        "batch-get-repository-scanning-configuration --repository-names $repository",
        {"scanningConfigurations[].repositoryName": ["$repository"]},
    ),
    Call("put-registry-scanning-configuration --scan-type BASIC --rules []"),
    Call(
        "put-signing-configuration --signing-configuration rules=[{signingProfileArn=$profile}]",
        {"length(signingConfiguration.rules)": 1},
    ),
    Call("get-signing-configuration", {"length(signingConfiguration.rules)": 1}),
    Call("delete-signing-configuration", {"registryId": "$account"}),
    Call("get-signing-configuration", refused="SigningConfigurationNotFoundException"),
    Call("register-pull-time-update-exclusion --principal-arn $role", {"principalArn": "$role"}),
    Call("list-pull-time-update-exclusions", {"contains(pullTimeUpdateExclusions, '$role')": True}),
    Call("deregister-pull-time-update-exclusion --principal-arn $role", {"principalArn": "$role"}),
)

REPLICATION = (
    Call(
        "put-replication-configuration --replication-configuration"
        " rules=[{destinations=[{region=eu-west-1,registryId=$account}]}]",
        {"replicationConfiguration.rules[].destinations[].region": ["eu-west-1"]},
    ),
    Call("describe-registry", {"replicationConfiguration.rules[].destinations[].registryId": ["$account"]}),
    Call(
        "start-replication-backfill --destination region=eu-west-1,registryId=$account",
        {"destination.region": "eu-west-1"},
        {"backfill": "replicationBackfillId"},
    ),
    Call("list-replication-backfills", {"contains(backfills[].replicationBackfillId, '$backfill')": True}),
    Call(
        "describe-replication-backfill-results --replication-backfill-id $backfill",
        {"results": []},
    ),
    Call("stop-replication-backfill --replication-backfill-id $backfill", {"replicationBackfillId": "$backfill"}),
    Call("put-replication-configuration --replication-configuration rules=[]"),
    Call("describe-registry", {"replicationConfiguration.rules": []}),
)

UPSTREAMS = (
    Call(
        "create-pull-through-cache-rule --ecr-repository-prefix $prefix --upstream-registry-url registry-1.docker.io"
        " --credential-arn $secret-AbCdEf",
        {"upstreamRegistry": "docker-hub"},
    ),
    Call(
        "describe-pull-through-cache-rules --ecr-repository-prefixes $prefix",
        {"pullThroughCacheRules[].credentialArn": ["$secret-AbCdEf"]},
    ),
    Call(
        "update-pull-through-cache-rule --ecr-repository-prefix $prefix --credential-arn $secret-GhIjKl",
        {"credentialArn": "$secret-GhIjKl"},
    ),
    Call("validate-pull-through-cache-rule --ecr-repository-prefix $prefix", {"ecrRepositoryPrefix": "$prefix"}),
    Call("delete-pull-through-cache-rule --ecr-repository-prefix $prefix", {"registryId": "$account"}),
    Call(
        "create-repository-creation-template --prefix $prefix --applied-for PULL_THROUGH_CACHE --description first",
        {"repositoryCreationTemplate.appliedFor": ["PULL_THROUGH_CACHE"]},
    ),
    Call(
        "update-repository-creation-template --prefix $prefix --description second",
        {"repositoryCreationTemplate.description": "second"},
    ),
    Call(
        "describe-repository-creation-templates --prefixes $prefix",
        {"repositoryCreationTemplates[].description": ["second"]},
    ),
    Call("delete-repository-creation-template --prefix $prefix", {"registryId": "$account"}),
)

REMOVAL = (
    on("delete-repository", refused="RepositoryNotEmptyException"),
    on("batch-delete-image --image-ids imageDigest=$referrer imageTag=v1", {"length(imageIds)": 2, "failures": []}),
    on("delete-repository", {"repository.repositoryArn": "$arn"}),
    Call("describe-repositories --repository-names $repository", refused="RepositoryNotFoundException"),
)

CALLS = (
    *REPOSITORY,
    *LOGIN,
    *PUSH,
    *IMAGES,
    *LIFECYCLE,
    *REGISTRY,
    *REPLICATION,
    *UPSTREAMS,
    *REMOVAL,
)
