"""Output members as XML, which botocore reads back as they were."""

from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from controlplane.wire import model, query, xml
from controlplane.wire.model import Operation
from tests.unit.controlplane.test_forms import FEW, IAM, OPERATIONS, STS, values

PARSER = create_parser("query")
DEEPEST = 6


def outputs(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of an output shape, not too deep: some hold themselves."""
    if isinstance(shape, StructureShape):
        members = shape.members if depth < DEEPEST else {}
        return st.fixed_dictionaries(
            {}, optional={name: outputs(member, depth + 1) for name, member in members.items()}
        )
    if isinstance(shape, ListShape):
        return st.lists(outputs(shape.member, depth + 1), max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(values(shape.key), outputs(shape.value, depth + 1), max_size=2)
    if shape.name in xml.ENCODED:
        # botocore decodes what is percent-encoded elsewhere.
        return st.text("aZ9._-~", max_size=10)
    return values(shape)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_botocore_reads_what_was_written(operation: Operation) -> None:
    """Of all operations of IAM and STS, built or not."""
    shape = operation.model.output_shape
    service = IAM if operation.service == "iam" else STS

    def check(members: dict[str, Any]) -> None:
        answer = query.answer(service, operation, members, "r-1")
        parsed = PARSER.parse({"status_code": 200, "headers": {}, "body": answer.body}, shape)
        assert parsed.pop("ResponseMetadata")["RequestId"] == "r-1"
        assert parsed == members

    if shape is None:
        check({})
        assert b"Result" not in query.answer(service, operation, {}, "r-1").body
    else:
        FEW(given(outputs(shape))(check))()


def test_members_that_are_not_there_do_not_go_out() -> None:
    operation = IAM.operations["GetUser"]
    assert xml.result(operation, {"User": {"UserName": "bob", "Tags": None}}) == (
        "<GetUserResult><User><UserName>bob</UserName></User></GetUserResult>"
    )
    with pytest.raises(KeyError):
        xml.result(operation, {"Usr": {}})


def test_a_document_goes_out_percent_encoded() -> None:
    operation = model.service("iam").operations["GetUserPolicy"]
    members = {"UserName": "bob", "PolicyName": "p", "PolicyDocument": '{"a": "/é+"}'}
    assert "<PolicyDocument>%7B%22a%22%3A%20%22%2F%C3%A9%2B%22%7D</PolicyDocument>" in xml.result(operation, members)


@pytest.mark.parametrize("value", ["a\r\nb", " <&>\"' ", "\t"])
def test_texts_come_back_as_they_are(value: str) -> None:
    operation = IAM.operations["GetUser"]
    answer = query.answer(IAM, operation, {"User": {"UserName": value}}, "r-1")
    shape = operation.model.output_shape
    parsed = PARSER.parse({"status_code": 200, "headers": {}, "body": answer.body}, shape)
    assert parsed["User"]["UserName"] == value
