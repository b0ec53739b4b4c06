"""One registry of Berth and one of the model, asked the same: they answer the same, or something is wrong."""

import json
from typing import Any

import boto3
import botocore.config
import botocore.session
from botocore.exceptions import ClientError

from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from tests.contract import answers, model
from tests.stateful.ecr import ANYTHING, Ecr, Refused

Members = dict[str, Any]
# Of these the order says nothing.
UNORDERED = ("failures", "images", "imageIds")
DOCUMENTS = ("policyText", "lifecyclePolicyText")
# Loading the service model takes longer than a hundred calls.
_SESSION = botocore.session.Session()


class Agreement:
    """`ecr` is the model; `client` is boto3's, on a socket, and every answer that it gets is checked strictly."""

    def __init__(self, url: str, key: AccessKey, registry: Registry) -> None:
        self.ecr = Ecr(registry.account, registry.region)
        self.client = boto3.Session(botocore_session=_SESSION).client(
            "ecr",
            endpoint_url=url,
            region_name=registry.region,
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
            config=botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=1),
        )
        self.client.meta.events.register("before-parse.ecr", answers.check_before_parse)

    def close(self) -> None:
        self.client.close()

    def ask(self, operation: str, **members: Any) -> Members | None:
        """What both answer; None where both refuse with the same code."""
        return self._compare(operation, members, self._expected(operation, members))

    def turn(self, operation: str, members: Members, token: str, after: Any) -> Members | None:
        """The page of a listing that comes after the row with the key `after`; `token` is what Berth gave for it."""
        expected = self._expected(operation, members, after)
        return self._compare(operation, {**members, "nextToken": token}, expected)

    def _expected(self, operation: str, members: Members, *after: Any) -> Members | str:
        try:
            return self.ecr.call(operation, members, *after)
        except Refused as refused:
            return refused.code

    def _compare(self, operation: str, members: Members, expected: Members | str) -> Members | None:
        answer: Members | None = None
        try:
            answer = getattr(self.client, model.method_name(operation))(**members)
            answer.pop("ResponseMetadata")
            actual: Members | str = answer
        except ClientError as error:
            actual = error.response["Error"]["Code"]
        assert comparable(operation, actual) == comparable(operation, expected), (
            f"{operation} of {members}\n  answers {actual}\n  and should {expected}"
        )
        return answer


def comparable(operation: str, answer: Members | str) -> Any:
    """The answer without the order and the words that are nobody's promise."""
    if isinstance(answer, str):
        return answer
    told = {name: _read(name, value) for name, value in answer.items()}
    for failure in told.get("failures", []):
        failure.pop("failureReason", None)
    if operation.startswith("Batch"):
        told |= {name: sorted(told[name], key=str) for name in UNORDERED if name in told}
    return told


def _read(name: str, value: Any) -> Any:
    if name in DOCUMENTS and value is not ANYTHING:
        return json.loads(value)
    return [dict(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value
