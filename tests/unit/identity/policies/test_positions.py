"""Where statements stand in the text of a policy."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.identity.policies import positions
from berth.identity.policies.positions import Position, Span

LONG = """{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "ecr:*",
            "Resource": "*"
        }, {"Effect": "Deny",
            "Action": "ecr:}",
            "Resource": "*"}
    ]
}"""


def test_statements_of_a_list_begin_behind_what_comes_before_them() -> None:
    assert positions.statements(LONG) == [
        Span(Position(3, 19), Position(8, 10)),
        Span(Position(8, 11), Position(10, 29)),
    ]


def test_a_statement_without_a_list() -> None:
    text = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}, "Version": "2012-10-17"}'
    assert positions.statements(text) == [Span(Position(1, 14), Position(1, text.index("}") + 2))]


@pytest.mark.parametrize("text", ["{}", '{"Version": "2012-10-17"}', '{"Statement": []}'])
def test_no_statements(text: str) -> None:
    assert positions.statements(text) == []


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), max_size=5),
    st.sampled_from([None, 1, 4]),
    st.dictionaries(
        st.text(max_size=3), st.recursive(st.integers(), lambda each: st.lists(each, max_size=2)), max_size=2
    ),
)
def test_each_span_holds_its_statement(
    statements: list[dict[str, str]], indent: int | None, more: dict[str, int]
) -> None:
    text = json.dumps(
        {**more, "Statement": statements, **{f"{name}-": value for name, value in more.items()}}, indent=indent
    )
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]

    def offset(position: Position) -> int:
        return starts[position.line - 1] + position.column - 1

    found = [json.loads(text[offset(span.start) : offset(span.end)]) for span in positions.statements(text)]
    assert found == statements
