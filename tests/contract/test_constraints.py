"""Every constraint of the model on the input of every operation: what keeps to it passes, what breaks it is named."""

import re

import pytest

from tests.contract import model
from tests.contract.calls import Line, RawAnswer
from tests.contract.samples import Sample, bounds
from tests.contract.violations import Violation, violations

# What is said of a broken constraint of the model. All else that is refused is refused for what it means.
BROKEN = re.compile(r"(Member )?must (have (length|value)|satisfy|not be null)")
REFUSALS = {"InvalidParameterException", "ValidationException", "SerializationException"}
# Where less is taken than the model allows: shapes, what is in them that is refused, and why.
NARROWER = {
    ("AccountSettingName", "1 characters"): "no setting has this name",
    ("AccountSettingName", "64 characters"): "no setting has this name",
    ("ImageTag", "300 characters"): "OCI Distribution 1.1 allows a tag 128 characters",
    ("LayerDigest", "3 characters"): "a digest has one of the algorithms that OCI Image 1.1 registers",
    ("LayerDigest", "a text of its pattern"): "the same",
}


def told(operation: str, what: Sample | Violation, answer: RawAnswer) -> str:
    trouble = what.bound if isinstance(what, Sample) else what.wrong
    return f"{operation}, {what.at or 'as a whole'}, {trouble}: {answer.body[:300].decode()}"


def refused_by_the_model(answer: RawAnswer) -> bool:
    return answer.code == "SerializationException" or (
        answer.code in REFUSALS and BROKEN.search(answer.message) is not None
    )


@pytest.mark.parametrize("operation", sorted(model.OPERATIONS))
async def test_what_is_at_the_bounds_is_valid(line: Line, operation: str) -> None:
    refused = []
    for sample in bounds(model.OPERATIONS[operation].input_shape):
        if (sample.shape, sample.bound.partition(":")[0]) in NARROWER:
            continue
        answer = await line.call(operation, sample.value)
        if refused_by_the_model(answer):
            refused.append(told(operation, sample, answer))
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("operation", sorted(model.OPERATIONS))
async def test_what_breaks_a_constraint_is_refused_by_name(line: Line, operation: str) -> None:
    wrong = []
    for violation in violations(model.OPERATIONS[operation].input_shape):
        answer = await line.call(operation, violation.value)
        if not is_refused_by_name(answer, violation):
            wrong.append(told(operation, violation, answer))
    assert not wrong, "\n".join(wrong)


def is_refused_by_name(answer: RawAnswer, violation: Violation) -> bool:
    codes = {"SerializationException"} if violation.is_type else REFUSALS - {"SerializationException"}
    return answer.code in codes and answer.status == 400 and f"'{violation.at}'" in answer.message


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1", b"{", b'{"a": NaN}', b"\xff", b"null", b'{"a": 1,}'])
async def test_what_is_no_json_object_is_refused(line: Line, body: bytes) -> None:
    for operation in ("DescribeRepositories", "DescribeRegistry"):
        assert (await line.send(operation, body)).code == "SerializationException"
