"""A malformed call of the control plane, as a row of a table, and the test of one."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.bad_input import promises
from tests.integration.bad_input.conftest import NAME, Place
from tests.integration.bad_input.signing import signed
from tests.integration.bad_input.wire import Answer, exchange, request

INVALID = "InvalidParameterException"
SERIALIZATION = "SerializationException"


@dataclass(frozen=True, slots=True)
class Bad:
    """A call, well signed, and its answer: the code, and what the message must name."""

    operation: str
    body: bytes
    code: str
    names: str
    status: int = 400
    headers: dict[str, str | None] = field(default_factory=dict)
    method: str = "POST"
    target: str = "/"


def bad(fault: str, operation: str, body: Any, code: str, names: str, status: int = 400, **more: Any) -> object:
    """A row, whose test is called by its `fault`. A `body` that is not bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return pytest.param(Bad(operation, content, code, names, status, **more), id=fault)


def on_repository(fault: str, operation: str, code: str, names: str, status: int = 400, **members: Any) -> object:
    """A call about the repository of the place, with these members besides its name."""
    return bad(fault, operation, {"repositoryName": NAME, **members}, code, names, status)


async def check_refused(place: Place, row: Bad) -> Answer:
    """Sign and send the call, and check its answer."""
    headers = signed(place, row.operation, row.body, headers=row.headers, method=row.method, target=row.target)
    answer = await exchange(place.api_address, request(row.method, row.target, headers, row.body))
    check_answer(place, headers, answer, row.status, row.code, row.names)
    return answer


def check_answer(
    place: Place, headers: dict[str, str | None], answer: Answer, status: int, code: str, names: str
) -> None:
    signature = (headers.get("Authorization") or "").rpartition("Signature=")[2]
    promises.check(answer, place.password, place.key.secret, *([signature] if len(signature) > 16 else []))
    assert answer.status == status, answer
    told, message = promises.json_error(answer)
    assert told == code, answer
    assert names in message, message
