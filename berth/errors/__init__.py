"""Every error that the ECR API names and Berth answers: its code, its status and its exact text.

The codes are those of the API reference ("Errors" of each operation). The texts are the ones that ECR is seen to
answer; where none is on record, the text says in the same manner what is wrong.
"""

from berth.errors.base import (
    AccessDenied,
    EcrError,
    InvalidInput,
    InvalidParameter,
    LimitExceeded,
    ServerError,
    Unsupported,
    listed,
)
from berth.errors.identity import MalformedPolicyDocument, PolicyTooLarge
from berth.errors.images import (
    ImageAlreadyExists,
    ImageDigestDoesNotMatch,
    ImageNotFound,
    ImageStorageClassUpdateNotSupported,
    ImageTagAlreadyExists,
    ManifestsTooLong,
    ReferencedImagesNotFound,
)
from berth.errors.layers import (
    EmptyUpload,
    InvalidLayer,
    InvalidLayerPart,
    LayerAlreadyExists,
    LayerInaccessible,
    LayerPartTooSmall,
    LayersNotFound,
    UploadNotFound,
)
from berth.errors.lifecycle import LifecyclePolicyPreviewInProgress, LifecyclePolicyPreviewNotFound
from berth.errors.registries import (
    ExclusionAlreadyExists,
    ExclusionNotFound,
    RegistryPolicyNotFound,
    ReplicationBackfillInProgress,
    ReplicationBackfillInvalidStatus,
    ReplicationBackfillNotFound,
    SigningConfigurationNotFound,
)
from berth.errors.repositories import (
    InvalidTagParameter,
    LifecyclePolicyNotFound,
    RepositoryAlreadyExists,
    RepositoryNotEmpty,
    RepositoryNotFound,
    RepositoryPolicyNotFound,
    TooManyTags,
)
from berth.errors.scanning import ImageArchived, ScanningDisabled, ScanNotFound, UnsupportedImageType
from berth.errors.templates import TemplateAlreadyExists, TemplateNotFound
from berth.errors.upstreams import (
    PullThroughCacheRuleAlreadyExists,
    PullThroughCacheRuleNotFound,
    SecretNotFound,
    UnableToAccessSecret,
    UnsupportedUpstreamRegistry,
)

__all__ = [
    "AccessDenied",
    "EcrError",
    "EmptyUpload",
    "ExclusionAlreadyExists",
    "ExclusionNotFound",
    "ImageAlreadyExists",
    "ImageArchived",
    "ImageDigestDoesNotMatch",
    "ImageNotFound",
    "ImageStorageClassUpdateNotSupported",
    "ImageTagAlreadyExists",
    "InvalidInput",
    "InvalidLayer",
    "InvalidLayerPart",
    "InvalidParameter",
    "InvalidTagParameter",
    "LayerAlreadyExists",
    "LayerInaccessible",
    "LayerPartTooSmall",
    "LayersNotFound",
    "LifecyclePolicyNotFound",
    "LifecyclePolicyPreviewInProgress",
    "LifecyclePolicyPreviewNotFound",
    "LimitExceeded",
    "MalformedPolicyDocument",
    "ManifestsTooLong",
    "PolicyTooLarge",
    "PullThroughCacheRuleAlreadyExists",
    "PullThroughCacheRuleNotFound",
    "ReferencedImagesNotFound",
    "RegistryPolicyNotFound",
    "ReplicationBackfillInProgress",
    "ReplicationBackfillInvalidStatus",
    "ReplicationBackfillNotFound",
    "RepositoryAlreadyExists",
    "RepositoryNotEmpty",
    "RepositoryNotFound",
    "RepositoryPolicyNotFound",
    "ScanNotFound",
    "ScanningDisabled",
    "SecretNotFound",
    "ServerError",
    "SigningConfigurationNotFound",
    "TemplateAlreadyExists",
    "TemplateNotFound",
    "TooManyTags",
    "UnableToAccessSecret",
    "Unsupported",
    "UnsupportedImageType",
    "UnsupportedUpstreamRegistry",
    "UploadNotFound",
    "listed",
]
