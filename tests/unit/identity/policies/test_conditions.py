"""IAM user guide, "IAM JSON policy elements: Condition operators", "Multivalued context keys"."""

from typing import Any

import pytest

from berth.identity.documents import grammar
from berth.identity.policies import operators
from tests.unit.identity.policies.asking import holds

KEY = "aws:x"


def test_every_operator_of_the_grammar_is_there() -> None:
    assert all(grammar.OPERATOR.fullmatch(name) for name in operators.NAMES)
    assert len(operators.NAMES) == 6 + 6 + 6 + 1 + 1 + 2 + 4


@pytest.mark.parametrize(
    ("operator", "written", "value", "expected"),
    [
        ("StringEquals", "prod", "prod", True),
        ("StringEquals", "prod", "Prod", False),
        ("StringEquals", "p*", "prod", False),
        ("StringEquals", ["dev", "prod"], "prod", True),
        ("StringNotEquals", ["dev", "prod"], "prod", False),
        ("StringNotEquals", ["dev", "test"], "prod", True),
        ("StringEqualsIgnoreCase", "PROD", "prod", True),
        ("StringNotEqualsIgnoreCase", "PROD", "prod", False),
        ("StringLike", "p?o*", "prod", True),
        ("StringLike", ["d*", "p*"], "prod", True),
        ("StringLike", "P*", "prod", False),
        ("StringNotLike", ["d*", "p*"], "prod", False),
        ("StringNotLike", "d*", "prod", True),
        ("StringLike", "", "", True),
        ("NumericEquals", 5, "5.0", True),
        ("NumericEquals", ["4", "5"], "5", True),
        ("NumericNotEquals", "5", "5", False),
        ("NumericNotEquals", "5", "six", True),
        ("NumericLessThan", "300", "299.9", True),
        ("NumericLessThan", "300", "300", False),
        ("NumericLessThanEquals", "300", "300", True),
        ("NumericGreaterThan", "-1", "0", True),
        ("NumericGreaterThanEquals", "1e3", "1000", True),
        ("NumericGreaterThan", "9007199254740992", "9007199254740993", True),
        ("NumericLessThan", "300", "NaN", False),
        ("NumericEquals", "1_000", "1000", False),
        ("DateEquals", "2026-11-24T10:00:00Z", "2026-11-24T11:00:00+01:00", True),
        ("DateEquals", "2026-11-24", "2026-11-24T00:00Z", True),
        ("DateEquals", "2026", "2026-01-01T00:00:00.000Z", True),
        ("DateEquals", "1795514400", "2026-11-24T10:00:00Z", True),
        ("DateNotEquals", "2026-11-24", "2026-11-25", True),
        ("DateLessThan", "2026-11-24T10:00:00.5Z", "2026-11-24T10:00:00.25Z", True),
        ("DateLessThanEquals", "2026-11-24", "2026-11-24", True),
        ("DateGreaterThan", "2026-02-30", "2027-01-01", False),
        ("DateGreaterThanEquals", "2026-11", "2026-10-31T23:59:59-01:00", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "True", True),
        ("Bool", "false", "true", False),
        ("Bool", "yes", "yes", False),
        ("BinaryEquals", "QmVydGg=", "QmVydGg=", True),
        ("BinaryEquals", "QmVydGg=", "QmVydGs=", False),
        ("BinaryEquals", "Berth!", "Berth!", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
        ("IpAddress", "203.0.113.7", "203.0.113.7", True),
        ("IpAddress", "203.0.113.7/24", "203.0.113.9", True),
        ("IpAddress", ["10.0.0.0/8", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5678::9", True),
        ("IpAddress", "203.0.113.0/24", "::ffff:203.0.113.7", True),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("IpAddress", "::/0", "2001:db8::1", True),
        ("IpAddress", "203.0.113.0/24", "no address", False),
        ("IpAddress", "nonsense", "203.0.113.7", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
        ("NotIpAddress", ["10.0.0.0/8", "192.0.2.0/24"], "203.0.113.7", True),
        ("ArnEquals", "arn:aws:iam::*:role/dep?oy", "arn:aws:iam::111122223333:role/deploy", True),
        ("ArnLike", "arn:aws:iam::111122223333:*", "arn:aws:iam::111122223333:user/bob", True),
        ("ArnLike", "*", "arn:aws:iam::111122223333:user/bob", True),
        ("ArnLike", "arn:aws:iam::111122223333:*", "no ARN", False),
        ("ArnNotLike", "arn:aws:iam::111122223333:*", "arn:aws:iam::444455556666:user/bob", True),
        ("ArnNotEquals", "arn:aws:iam::*:user/bob", "arn:aws:iam::444455556666:user/bob", False),
    ],
)
def test_an_operator_compares(operator: str, written: Any, value: str, expected: bool) -> None:
    assert holds({operator: {KEY: written}}, {KEY: value}) is expected


def test_the_components_of_an_arn_are_compared_one_by_one() -> None:
    """The user guide's own example of what StringLike matches and ArnLike does not."""
    pattern = "arn:aws:someservice:*:111122223333:finance/*"
    value = {KEY: "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"}
    assert holds({"StringLike": {KEY: pattern}}, value)
    assert not holds({"ArnLike": {KEY: pattern}}, value)


_POSITIVE = [
    "StringEquals",
    "StringLike",
    "NumericLessThan",
    "DateGreaterThan",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "ArnLike",
]
_NEGATED = ["StringNotEquals", "StringNotLike", "NumericNotEquals", "DateNotEquals", "NotIpAddress", "ArnNotLike"]


@pytest.mark.parametrize("operator", _POSITIVE)
def test_without_the_key_nothing_matches(operator: str) -> None:
    assert not holds({operator: {KEY: "1"}}, {})
    assert not holds({operator: {KEY: "1"}}, {KEY: []})
    assert holds({f"{operator}IfExists": {KEY: "1"}}, {})


@pytest.mark.parametrize("operator", _NEGATED)
def test_without_the_key_a_negated_operator_holds(operator: str) -> None:
    assert holds({operator: {KEY: "1"}}, {})
    assert holds({f"{operator}IfExists": {KEY: "1"}}, {})


def test_if_exists_compares_what_is_there() -> None:
    assert not holds({"StringEqualsIfExists": {KEY: "a"}}, {KEY: "b"})


@pytest.mark.parametrize(
    ("written", "keys", "expected"),
    [
        ("true", {}, True),
        ("true", {KEY: "a"}, False),
        ("false", {KEY: "a"}, True),
        ("false", {KEY: ""}, True),
        (False, {}, False),
        (True, {KEY: []}, True),
        ("true", {KEY: [""]}, True),
        ("false", {KEY: ["", "a"]}, True),
        (["true", "false"], {}, True),
        ("maybe", {}, False),
    ],
)
def test_null_asks_whether_the_key_is_there(written: Any, keys: Any, expected: bool) -> None:
    assert holds({"Null": {KEY: written}}, keys) is expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAllValues:StringEquals", None, True),
        ("ForAllValues:StringEquals", [""], True),
        ("ForAllValues:StringEquals", "a", True),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "c"], False),
        ("ForAllValues:StringNotEquals", None, True),
        ("ForAllValues:StringEqualsIfExists", None, True),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c", "d"], False),
        ("ForAnyValue:StringEquals", [], False),
        ("ForAnyValue:StringEquals", None, False),
        ("ForAnyValue:StringEquals", [""], False),
        ("ForAnyValue:StringNotEquals", ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAnyValue:StringNotEquals", None, False),
        ("ForAnyValue:StringEqualsIfExists", None, False),
        ("ForAnyValue:StringEqualsIfExists", [], False),
        ("ForAnyValue:StringNotEqualsIfExists", None, False),
        ("StringEquals", ["c", "a"], True),
        ("StringNotEquals", ["c", "a"], False),
        ("StringNotEquals", ["c", "d"], True),
    ],
)
def test_a_set_operator_looks_at_each_value_of_the_request(operator: str, values: Any, expected: bool) -> None:
    assert holds({operator: {KEY: ["a", "b"]}}, {} if values is None else {KEY: values}) is expected


def test_all_keys_and_all_operators_have_to_hold() -> None:
    condition = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Bool": {"aws:c": "true"}}
    keys = {"aws:a": "1", "aws:b": "2", "aws:c": "true"}
    assert holds(condition, keys)
    assert not any(holds(condition, keys | {key: "other"}) for key in keys)


def test_keys_are_compared_without_regard_to_case() -> None:
    assert holds({"StringEquals": {"AWS:PrincipalTAG/Team": "a"}}, {"aws:principaltag/team": "a"})


def test_no_values_match_nothing() -> None:
    assert not holds({"StringEquals": {KEY: []}}, {KEY: "a"})
    assert holds({"StringNotEquals": {KEY: []}}, {KEY: "a"})


@pytest.mark.parametrize("written", ["::ffff:10.0.0.0/104", "::ffff:10.1.2.3", "10.0.0.0/8"])
def test_an_ipv4_network_written_as_ipv6_is_the_ipv4_network(written: str) -> None:
    for address in ("10.1.2.3", "::ffff:10.1.2.3"):
        assert holds({"IpAddress": {"aws:SourceIp": written}}, {"aws:SourceIp": address})
    assert not holds({"IpAddress": {"aws:SourceIp": written}}, {"aws:SourceIp": "192.0.2.1"})
    assert not holds({"IpAddress": {"aws:SourceIp": "::ffff:0:0/95"}}, {"aws:SourceIp": "10.1.2.3"})
