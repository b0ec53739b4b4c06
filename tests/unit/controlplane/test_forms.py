"""Form parameters are read by the model, whatever a shape is made of, and what is wrong is said all at once."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st

from berth.errors.iam import ValidationError
from controlplane.wire import forms, model
from controlplane.wire.faults import Serialization
from controlplane.wire.model import Operation

IAM, STS = model.service("iam"), model.service("sts")
OPERATIONS = [*IAM.operations.values(), *STS.operations.values()]
CREATE_USER = IAM.operations["CreateUser"]
SIMULATE = IAM.operations["SimulateCustomPolicy"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# There are two hundred operations.
FEW = settings(max_examples=12)


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of the shape as boto3 takes them; constraints on lengths and patterns aside."""
    if isinstance(shape, StructureShape):
        # Without any member, it is not sent.
        return structures(shape).filter(bool)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member), max_size=3)
    if isinstance(shape, MapShape):
        return st.dictionaries(values(shape.key), values(shape.value), min_size=1, max_size=3)
    return {
        "string": st.text("aé界 &=+%/<\n", max_size=10),
        "integer": st.integers(-(2**31), 2**31 - 1),
        "boolean": st.booleans(),
        "blob": st.binary(max_size=10),
        "timestamp": st.integers(0, 2**32).map(lambda seconds: EPOCH + timedelta(seconds=seconds)),
    }[shape.type_name]


def structures(shape: StructureShape) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {name: values(member) for name, member in shape.members.items() if name in shape.required_members},
        optional={name: values(member) for name, member in shape.members.items() if name not in shape.required_members},
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_botocore_sends_is_what_it_was_given(operation: Operation) -> None:
    """Of all operations of IAM and STS, built or not."""
    shape = operation.model.input_shape
    if shape is None:
        return
    serializer = create_serializer("query", include_validation=False)
    read = forms.reader(operation)

    @FEW
    @given(structures(shape))
    def check(members: dict[str, Any]) -> None:
        sent = serializer.serialize_to_request(members, operation.model)["body"]
        given = {name: str(value) for name, value in sent.items() if name not in ("Action", "Version")}
        # botocore writes booleans as true and false itself, and numbers as they are.
        assert read(forms.tree(given), "", forms.Faults()) == members

    check()


def test_a_list_comes_in_the_order_of_its_numbers() -> None:
    given = {f"Tags.member.{number}.{part}": f"{part}{number}" for number in (10, 9, 2) for part in ("Key", "Value")}
    members = forms.members(CREATE_USER, {"UserName": "bob", **given})
    assert [tag["Key"] for tag in members["Tags"]] == ["Key2", "Key9", "Key10"]


def test_an_empty_list_is_sent_as_nothing() -> None:
    assert forms.members(CREATE_USER, {"UserName": "bob", "Tags": ""})["Tags"] == []


@pytest.mark.parametrize(
    "given",
    [
        {"UserName.member.1": "a"},
        {"UserName": "bob", "Tags": "x"},
        {"UserName": "bob", "Tags.1.Key": "x"},
        {"UserName": "bob", "Tags.member.x.Key": "x"},
        {"UserName": "bob", "Tags.member.\u0661.Key": "x"},
        {"UserName": "bob", "Tags.member.1": "x"},
        {"UserName": "bob", "Tags.member": "x", "Tags.member.1": "y"},
        {"UserName": "bob", "Tags.member.1": "y", "Tags.member": "x"},
        {"UserName": "bob", "Tags.member.1.Key.member.1": "y"},
    ],
)
def test_parameters_that_do_not_fit_together_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(Serialization):
        forms.members(CREATE_USER, given)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("ListUsers", {"MaxItems": "ten"}),
        ("ListUsers", {"MaxItems": "1.0"}),
        ("ListUsers", {"MaxItems": "--1"}),
        ("ListUsers", {"MaxItems": "٣"}),
        ("ListUsers", {"MaxItems": "9" * 5000}),
        ("ListUsers", {"MaxItems": str(2**31)}),
        ("CreateLoginProfile", {"UserName": "bob", "PasswordResetRequired": "yes"}),
    ],
)
def test_a_value_of_another_type_is_refused(operation: str, given: dict[str, str]) -> None:
    with pytest.raises(Serialization, match="is not of the type"):
        forms.members(IAM.operations[operation], given)


def test_all_that_is_wrong_is_said_at_once() -> None:
    given = {"PolicyInputList.member.1": "", "MaxItems": "0"}
    with pytest.raises(ValidationError) as caught:
        forms.members(SIMULATE, given)
    assert caught.value.message.startswith("4 validation errors detected: ")
    assert "Value null at 'actionNames' failed to satisfy constraint: Member must not be null" in caught.value.message
    assert "Value '0' at 'maxItems' failed to" in caught.value.message


def test_a_message_stays_short_whatever_is_wrong() -> None:
    given = {f"PolicyInputList.member.{number}": "\0" * 2000 for number in range(400)}
    with pytest.raises(ValidationError) as caught:
        forms.members(SIMULATE, given)
    assert caught.value.message.startswith("801 validation errors detected: ")
    assert len(caught.value.message) < 10_000


def test_a_secret_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        forms.members(IAM.operations["CreateLoginProfile"], {"UserName": "bob", "Password": "s3cret\0"})
    assert "s3cret" not in caught.value.message
    assert "Value at 'password' failed" in caught.value.message


def test_names_and_paths_are_refused_after_all_else_and_in_iams_words() -> None:
    with pytest.raises(ValidationError, match=r"^The specified value for userName is invalid"):
        forms.members(CREATE_USER, {"UserName": "a b", "Path": "/"})
    with pytest.raises(ValidationError, match=r"^1 validation error detected: Value '' at 'path'"):
        forms.members(CREATE_USER, {"UserName": "a b", "Path": ""})


PARTS = st.sampled_from(["UserName", "Tags", "member", "entry", "1", "2", "-1", "Key", "Value", "key", "", "Path", "é"])
NAMES = st.lists(PARTS, min_size=1, max_size=5).map(".".join)
FORMS = st.dictionaries(NAMES, st.text(max_size=5) | st.sampled_from(["/", "1"]), max_size=8)


@given(st.sampled_from(OPERATIONS), FORMS)
def test_whatever_is_sent_it_is_read_or_refused(operation: Operation, given: dict[str, str]) -> None:
    with contextlib.suppress(ValidationError, Serialization):
        members = forms.members(operation, given)
        shape = operation.model.input_shape
        assert members.keys() <= (set(shape.members) if shape is not None else set())
