"""The errors of STS, in its own words (STS API reference, the errors of each operation)."""

from typing import Self

from berth.errors.base import AccessDenied, EcrError


class PackedPolicyTooLarge(EcrError):
    code = "PackedPolicyTooLarge"

    def __init__(self, percent: int) -> None:
        super().__init__(f"Packed policy consumes {percent}% of allotted space, please use smaller policy.")


class InvalidParameterValue(EcrError):
    """Of the tags of a session."""

    code = "InvalidParameterValue"


class InvalidIdentityToken(EcrError):
    code = "InvalidIdentityToken"

    @classmethod
    def lacking(cls, claim: str) -> Self:
        return cls(f"Missing a required claim: {claim}")


class ExpiredIdentityToken(EcrError):
    """Told from ExpiredTokenException, which the Query protocol has another name for."""

    code = "ExpiredIdentityToken"

    def __init__(self, now: int, expiry: int) -> None:
        super().__init__(
            f"Token expired: current date/time {now} must be before the expiration date/time {expiry}",
        )


class IdpCommunicationError(EcrError):
    code = "IDPCommunicationError"


class IdpRejectedClaim(EcrError):
    code = "IDPRejectedClaim"
    status = 403


class SecondFactorRefused(AccessDenied):
    """What a caller gave as its second factor proves nothing."""

    @classmethod
    def lacking(cls) -> Self:
        return cls("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")

    @classmethod
    def no_device(cls) -> Self:
        return cls(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is "
            "valid and associated with this user."
        )


class WrongCode(SecondFactorRefused):
    """A code that is not the device's by now, or was taken before."""

    def __init__(self) -> None:
        super().__init__("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
