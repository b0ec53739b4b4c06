"""Pull through cache rules."""

from berth.errors.base import EcrError
from berth.names import Registry


class PullThroughCacheRuleAlreadyExists(EcrError):
    code = "PullThroughCacheRuleAlreadyExistsException"

    def __init__(self, registry: Registry, prefix: str) -> None:
        super().__init__(
            f"The pull through cache rule with prefix '{prefix}' already exists "
            f"in the registry with id '{registry.account}'"
        )


class PullThroughCacheRuleNotFound(EcrError):
    code = "PullThroughCacheRuleNotFoundException"

    def __init__(self, registry: Registry, prefix: str) -> None:
        super().__init__(
            f"The pull through cache rule with prefix '{prefix}' does not exist "
            f"in the registry with id '{registry.account}'"
        )


class UnsupportedUpstreamRegistry(EcrError):
    code = "UnsupportedUpstreamRegistryException"

    @classmethod
    def unknown(cls) -> "UnsupportedUpstreamRegistry":
        return cls("The specified upstream registry isn't supported.")

    @classmethod
    def needing(cls, what: str) -> "UnsupportedUpstreamRegistry":
        return cls(f"The specified upstream registry requires authentication. Specify a valid {what}")


class SecretNotFound(EcrError):
    code = "SecretNotFoundException"

    def __init__(self) -> None:
        super().__init__(
            "The ARN of the secret specified in the pull through cache rule was not found. "
            "Update the pull through cache rule with a valid secret ARN and try again."
        )


class UnableToAccessSecret(EcrError):
    code = "UnableToAccessSecretException"

    def __init__(self) -> None:
        super().__init__(
            "The secret is unable to be accessed. Verify the resource permissions for the secret and try again."
        )
