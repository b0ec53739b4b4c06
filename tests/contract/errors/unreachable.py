"""The modelled errors that no call can bring about, and why."""

from tests.contract import model

_NO_KMS = "no key service is asked: Berth encrypts no layer by itself yet"
_NO_UPSTREAM = "no upstream registry is contacted yet"
_NO_SECRET = "no secret is read yet, for no upstream registry is contacted: only its ARN is checked"
_NO_QUOTA = "Berth sets no such limit"

_REASONS: dict[str, tuple[str, set[str]]] = {
    "KmsException": (
        _NO_KMS,
        {"CompleteLayerUpload", "CreateRepository", "DeleteRepository", "InitiateLayerUpload", "PutImage"}
        | {"UploadLayerPart"},
    ),
    "UnableToGetUpstreamImageException": (_NO_UPSTREAM, {"BatchGetImage"}),
    "UnableToGetUpstreamLayerException": (_NO_UPSTREAM, {"GetDownloadUrlForLayer"}),
    "UnableToListUpstreamImageReferrersException": (_NO_UPSTREAM, {"ListImageReferrers"}),
    "UnableToDecryptSecretValueException": (_NO_SECRET, {"CreatePullThroughCacheRule", "UpdatePullThroughCacheRule"}),
    "BlockedByOrganizationPolicyException": (
        "there is no AWS organization whose policy could forbid it",
        {"PutRegistryScanningConfiguration"},
    ),
    "LimitExceededException": (
        _NO_QUOTA,
        {"BatchGetImage", "CreateRepository", "DeregisterPullTimeUpdateExclusion", "ListPullTimeUpdateExclusions"}
        | {"PutAccountSetting", "PutImage", "StartImageScan"},
    ),
    "TooManyTagsException": ("fewer tags are never too many", {"UntagResource"}),
    "RepositoryNotFoundException": (
        "a repository that is not there is one of the failures of the answer",
        {"BatchGetRepositoryScanningConfiguration"},
    ),
    "InvalidParameterException": (
        "it takes no parameter",
        {"DeleteRegistryPolicy", "DescribeRegistry", "GetRegistryPolicy", "GetRegistryScanningConfiguration"}
        | {"GetSigningConfiguration"},
    ),
    "ValidationException": (
        "what breaks a constraint is an InvalidParameterException, as ECR is seen to answer",
        {name for name in model.OPERATIONS if "ValidationException" in model.error_codes(name)} - {"StartImageScan"},
    ),
}
UNREACHABLE = {
    (operation, error): reason for error, (reason, operations) in _REASONS.items() for operation in operations
}
