"""A page token takes up where its page ended, in the listing it was made for, and nowhere else."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidParameter
from berth.identity.credentials.passwords import KeyRing
from berth.names import Registry
from controlplane.wire.paging import Pages

RING = KeyRing({1: b"k" * 32})
REGISTRY = Registry("123456789012", "eu-west-1")
LISTING = Pages(RING, "ListImages", REGISTRY, repositoryName="ab", filter={"tagStatus": "TAGGED"})


@given(st.text() | st.lists(st.text() | st.none() | st.integers(-(2**53), 2**53), max_size=4))
def test_a_token_carries_the_last_key_and_shows_nothing_of_it(last: Any) -> None:
    token = LISTING.token(last)
    assert LISTING.after(token) == last
    assert token.isascii()


def test_without_a_token_the_listing_begins() -> None:
    assert LISTING.after(None) is None


@pytest.mark.parametrize(
    "other",
    [
        Pages(RING, "DescribeImages", REGISTRY, repositoryName="ab", filter={"tagStatus": "TAGGED"}),
        Pages(RING, "ListImages", REGISTRY, repositoryName="ac", filter={"tagStatus": "TAGGED"}),
        Pages(RING, "ListImages", REGISTRY, repositoryName="ab", filter={"tagStatus": "ANY"}),
        Pages(RING, "ListImages", REGISTRY, repositoryName="ab", filter=None),
        Pages(RING, "ListImages", Registry("123456789012", "eu-west-2"), repositoryName="ab", filter=None),
        Pages(RING, "ListImages", Registry("123456789013", "eu-west-1"), repositoryName="ab", filter=None),
        Pages(KeyRing({1: b"l" * 32}), "ListImages", REGISTRY, repositoryName="ab", filter={"tagStatus": "TAGGED"}),
    ],
)
def test_the_token_of_another_listing_is_refused(other: Pages) -> None:
    with pytest.raises(InvalidParameter, match="nextToken"):
        other.after(LISTING.token("last"))


def test_no_changed_token_is_taken() -> None:
    token = LISTING.token("last")
    sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(InvalidParameter):
            LISTING.after(base64.urlsafe_b64encode(changed).decode())


@pytest.mark.parametrize("token", ["", "a", "=", "AAAA", "é", "a" * 100_000, "\0", "../..", "null"])
def test_what_never_was_a_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid pagination token provided"):
        LISTING.after(token)
