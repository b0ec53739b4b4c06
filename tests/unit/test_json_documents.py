import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth import json_documents

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text("ab", max_size=3), children, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert json_documents.read(json.dumps(value)) == value
    assert json_documents.read(json_documents.pretty(value)) == value


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(json_documents.Malformed):
        json_documents.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "9" * 19,
        "9" * 10_000,
        '{"a":1,"a":1}',
        '[{"a":{"b":1,"b":2}}]',
        '"\\ud800"',
        '{"\\udfff":1}',
        '"\ud800"',
        "[" * 30_000,
        "[" * 500 + "]" * 500,
        '{"a":' * 40 + "1" + "}" * 40,
        "[" * 34 + "]" * 34,
        "\ufeff{}",
        '"a\nb"',
    ],
)
def test_what_could_be_read_in_two_ways_or_do_harm_is_refused(text: str) -> None:
    with pytest.raises(json_documents.Malformed):
        json_documents.read(text)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert json_documents.read('"\\ud83d\\ude80"') == "🚀"


def test_documents_are_written_as_jackson_writes_them() -> None:
    value = {"a": [], "b": {}, "c": [{"d": "é", "e": [1, True, None]}, {"f": "g"}]}
    assert json_documents.pretty(value) == (
        "{\n"
        '  "a" : [ ],\n'
        '  "b" : { },\n'
        '  "c" : [ {\n'
        '    "d" : "é",\n'
        '    "e" : [ 1, true, null ]\n'
        "  }, {\n"
        '    "f" : "g"\n'
        "  } ]\n"
        "}"
    )
