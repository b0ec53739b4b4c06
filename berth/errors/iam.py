"""The errors of IAM, in its own words (IAM API reference, the errors of each operation)."""

from typing import Self

from berth.errors.base import EcrError


class NoSuchEntity(EcrError):
    code = "NoSuchEntity"
    status = 404

    @classmethod
    def named(cls, kind: str, name: str) -> Self:
        """`kind` is that of the entity: user, group, role."""
        return cls(f"The {kind} with name {name} cannot be found.")

    @classmethod
    def key(cls, access_key_id: str) -> Self:
        return cls(f"The Access Key with id {access_key_id} cannot be found.")

    @classmethod
    def policy(cls, arn: str) -> Self:
        return cls(f"Policy {arn} was not found.")

    @classmethod
    def attachable(cls, arn: str) -> Self:
        """Of a policy, or of a version of one (`ARN version v2`)."""
        return cls(f"Policy {arn} does not exist or is not attachable.")

    @classmethod
    def provider(cls, arn: str) -> Self:
        return cls(f"OpenIDConnect Provider not found for arn {arn}")

    @classmethod
    def device(cls, serial: str) -> Self:
        return cls(f"VirtualMFADevice with serial number {serial} does not exist.")

    @classmethod
    def device_of_user(cls) -> Self:
        """A device that is not enabled for the user."""
        return cls("MFA Device invalid for user.")

    @classmethod
    def alias(cls, alias: str) -> Self:
        return cls(f"The account alias {alias} does not exist.")


class EntityAlreadyExists(EcrError):
    code = "EntityAlreadyExists"
    status = 409

    @classmethod
    def named(cls, kind: str, name: str) -> Self:
        return cls(f"{kind.capitalize()} with name {name} already exists.")


class DeleteConflict(EcrError):
    """Something still hangs on the entity; `first` says what has to be done with it."""

    code = "DeleteConflict"
    status = 409

    def __init__(self, first: str) -> None:
        super().__init__(f"Cannot delete entity, must {first} first.")


class PolicyInUse(EcrError):
    """A managed policy, or a version of one, that cannot go yet."""

    code = "DeleteConflict"
    status = 409


class DeviceInUse(EcrError):
    """An MFA device that is enabled for a user."""

    code = "DeleteConflict"
    status = 409

    def __init__(self) -> None:
        super().__init__("MFA VirtualDevice in use. Must deactivate first.")


class InvalidAuthenticationCode(EcrError):
    """Codes of an MFA device that are not two in a row of it."""

    code = "InvalidAuthenticationCode"
    status = 403

    def __init__(self) -> None:
        super().__init__("Authentication code for device is not valid.")


class TooManyVersions(EcrError):
    """IAM user guide, "Versioning IAM policies"."""

    code = "LimitExceeded"
    status = 409

    def __init__(self, most: int) -> None:
        super().__init__(
            f"A managed policy can have up to {most} versions. Before you create a new version, you must delete an "
            "existing version."
        )


class QuotaExceeded(EcrError):
    """IAM user guide, "IAM and AWS STS quotas"."""

    code = "LimitExceeded"
    status = 409

    def __init__(self, quota: str, most: int) -> None:
        super().__init__(f"Cannot exceed quota for {quota}: {most}")


class InvalidInput(EcrError):
    code = "InvalidInput"


class ValidationError(EcrError):
    """A value that the service's framework refuses, or IAM before it looks for what is named."""

    code = "ValidationError"


class PolicyNotAttachable(EcrError):
    code = "PolicyNotAttachable"
