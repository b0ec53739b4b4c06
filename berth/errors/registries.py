"""Registries: their policies, replication, signing, exclusions."""

from berth.errors.base import EcrError
from berth.names import Registry


class RegistryPolicyNotFound(EcrError):
    code = "RegistryPolicyNotFoundException"

    def __init__(self, registry: Registry) -> None:
        super().__init__(f"Registry policy does not exist in the registry with id '{registry.account}'")


class SigningConfigurationNotFound(EcrError):
    code = "SigningConfigurationNotFoundException"

    def __init__(self, registry: Registry) -> None:
        super().__init__(f"Signing configuration does not exist in the registry with id '{registry.account}'")


class ReplicationBackfillNotFound(EcrError):
    code = "ReplicationBackfillNotFoundException"

    def __init__(self, registry: Registry, backfill: object) -> None:
        super().__init__(
            f"The replication backfill with id '{backfill}' does not exist in the registry with id '{registry.account}'"
        )


class ReplicationBackfillInProgress(EcrError):
    code = "ReplicationBackfillInProgressException"

    def __init__(self, registry: Registry, region: str) -> None:
        super().__init__(
            f"A replication backfill is already in progress for the destination region '{region}' "
            f"in the registry with id '{registry.account}'"
        )


class ReplicationBackfillInvalidStatus(EcrError):
    code = "ReplicationBackfillInvalidStatusException"

    def __init__(self, backfill: object, status: str) -> None:
        super().__init__(
            f"The replication backfill with id '{backfill}' cannot be stopped because it is in the status '{status}'"
        )


class ExclusionAlreadyExists(EcrError):
    code = "ExclusionAlreadyExistsException"

    def __init__(self, registry: Registry, principal_arn: str) -> None:
        super().__init__(
            f"The pull time update exclusion for the principal '{principal_arn}' already exists "
            f"in the registry with id '{registry.account}'"
        )


class ExclusionNotFound(EcrError):
    code = "ExclusionNotFoundException"

    def __init__(self, registry: Registry, principal_arn: str) -> None:
        super().__init__(
            f"The pull time update exclusion for the principal '{principal_arn}' does not exist "
            f"in the registry with id '{registry.account}'"
        )
