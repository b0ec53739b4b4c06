"""The errors of the protocols themselves, which no service model names (ECR API reference, "Common Errors")."""

from berth.errors import EcrError, ServerError


class Serialization(EcrError):
    """The body is not JSON, or a value in it is not of the type that the model gives the member."""

    code = "SerializationException"


class UnknownOperation(EcrError):
    code = "UnknownOperationException"


class RequestTooLarge(EcrError):
    code = "RequestEntityTooLargeException"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body of this request may have {limit} bytes at most")


class MissingAuthenticationToken(EcrError):
    code = "MissingAuthenticationTokenException"

    def __init__(self) -> None:
        super().__init__("Missing Authentication Token")


class IncompleteSignature(EcrError):
    """The Authorization header is not formed as Signature Version 4 has it."""

    code = "IncompleteSignatureException"


class UnrecognizedClient(EcrError):
    """No such access key, or a session token that belongs to none."""

    code = "UnrecognizedClientException"

    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


class ExpiredToken(EcrError):
    """Temporary credentials whose time is over."""

    code = "ExpiredTokenException"

    def __init__(self) -> None:
        super().__init__("The security token included in the request is expired")


class InvalidSignature(EcrError):
    code = "InvalidSignatureException"


class Throttled(EcrError):
    """The account asks more than its rate allows."""

    code = "ThrottlingException"

    def __init__(self) -> None:
        super().__init__("Rate exceeded")


class MalformedHttpRequest(EcrError):
    code = "MalformedHttpRequestException"


class NotServedHere(EcrError):
    """A path or a method that the API does not have."""

    code = "UnknownOperationException"
    status = 404


class RequestTimeout(EcrError):
    code = "RequestTimeoutException"
    status = 408


class Unavailable(ServerError):
    """The database or the store does not answer now: clients try again by themselves."""

    status = 503
