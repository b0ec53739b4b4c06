"""Requests to the control plane as an AWS client signs them, for the tests to spoil."""

from datetime import UTC, datetime
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.integration.bad_input.conftest import Place

JSON = "application/x-amz-json-1.1"
PREFIX = "AmazonEC2ContainerRegistry_V20150921"


def signed(
    place: Place,
    operation: str,
    body: bytes,
    *,
    service: str = "ecr",
    region: str = "us-east-1",
    secret: str | None = None,
    key_id: str | None = None,
    method: str = "POST",
    target: str = "/",
    moment: datetime | None = None,
    headers: dict[str, str | None] | None = None,
) -> dict[str, str | None]:
    """The headers of a call of `operation`, signed by the root of the place, or with another `secret` or `key_id`."""
    given = {
        "Host": place.api_address,
        "Content-Type": JSON,
        "X-Amz-Target": f"{PREFIX}.{operation}",
        **(headers or {}),
    }
    kept = {name: value for name, value in given.items() if value is not None}
    signing = AWSRequest(method, f"http://{place.api_address}{target}", kept, body)
    credentials = Credentials(key_id or place.key.id, secret or place.key.secret)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment or datetime.now(UTC)):
        SigV4Auth(credentials, service, region).add_auth(signing)
    return dict(signing.headers.items())
