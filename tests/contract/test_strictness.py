"""The checks themselves: what they let pass, and what not; and the texts that inputs are made of."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape

from tests.contract import answers, model
from tests.contract.patterns import language

HEADERS = {
    "content-type": "application/x-amz-json-1.1",
    "x-amzn-requestid": "12345678-1234-4234-8234-123456789012",
    "x-amzn-errortype": "RepositoryNotFoundException",
}
REPOSITORY: dict[str, Any] = {
    "repositoryName": "team/app",
    "createdAt": 1700000000.5,
    "imageTagMutability": "MUTABLE",
    "imageScanningConfiguration": {"scanOnPush": False},
    "encryptionConfiguration": {"encryptionType": "AES256"},
}


def check(body: bytes, status: int = 200, operation: str = "DescribeRepositories", **headers: str) -> dict[str, Any]:
    given = {name: headers.get(name.replace("-", "_"), value) for name, value in HEADERS.items()}
    return answers.check(model.OPERATIONS[operation], status, given, body)


def repositories(**changed: Any) -> bytes:
    return json.dumps({"repositories": [{**REPOSITORY, **changed}]}).encode()


def error(code: str = "RepositoryNotFoundException", message: Any = "There is none", **more: Any) -> bytes:
    return json.dumps({"__type": code, "message": message, **more}).encode()


def test_an_answer_of_the_model_passes_and_is_what_botocore_reads() -> None:
    read = check(repositories())
    assert read["repositories"][0]["createdAt"].timestamp() == 1700000000.5
    assert check(error(), 400)["Error"] == {"Code": "RepositoryNotFoundException", "Message": "There is none"}


@pytest.mark.parametrize(
    "body",
    [
        repositories(repositoryname="team/app"),
        repositories(repositoryName=None),
        repositories(repositoryName=1),
        repositories(repositoryName="a"),
        repositories(repositoryName="Team"),
        repositories(createdAt="2026-01-01T00:00:00Z"),
        repositories(createdAt=True),
        repositories(imageTagMutability="mutable"),
        repositories(imageScanningConfiguration={"scanOnPush": "false"}),
        repositories(imageScanningConfiguration=[]),
        repositories(encryptionConfiguration={}),
        b'{"repositories": {}}',
        b'{"repositories": [null]}',
        b'{"repositories": [], "repositories": []}',
        b'{"repositories": [], "nextToken": null}',
        b'{"repositories": [{"createdAt": NaN}]}',
        b"[]",
        b"",
    ],
)
def test_an_answer_that_is_not_the_models_does_not_pass(body: bytes) -> None:
    with pytest.raises((AssertionError, json.JSONDecodeError)):
        check(body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (error("NoSuchException"), 400),
        (error("ImageNotFoundException"), 400),
        (error(message=""), 400),
        (error(message=None), 400),
        (error(message=1), 400),
        (error(repositoryName="ab"), 400),
        (error(), 500),
        (error("ServerException"), 500),
        (b'{"message": "There is none"}', 400),
    ],
)
def test_an_error_that_is_not_the_models_does_not_pass(body: bytes, status: int) -> None:
    with pytest.raises((AssertionError, KeyError)):
        check(body, status)


@pytest.mark.parametrize("headers", [{"content_type": "application/json"}, {"x_amzn_requestid": "1"}])
def test_an_answer_with_other_headers_does_not_pass(headers: dict[str, str]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check(repositories(), **headers)


def patterns(shape: Shape | None) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            yield from patterns(member)
    elif isinstance(shape, ListShape):
        yield from patterns(shape.member)
    elif shape is not None and "pattern" in shape.metadata:
        yield shape.metadata["pattern"]


@pytest.mark.parametrize(
    "pattern", sorted({found for one in model.OPERATIONS.values() for found in patterns(one.input_shape)})
)
def test_texts_of_a_pattern_are_of_it_and_as_long_as_they_shall_be(pattern: str) -> None:
    found, compiled = language(pattern), re.compile(pattern, re.ASCII)
    chance = random.Random(1)
    texts = [found.shortest(), *(found.any(chance) for _ in range(100))]
    for length in range(300):
        text = found.of_length(length)
        if text is not None:
            assert len(text) == length
            texts.append(text)
    assert all(compiled.fullmatch(text) for text in texts)
