"""Which prefixes are for which repositories."""

from hypothesis import given
from hypothesis import strategies as st

from berth import prefixes
from berth.prefixes import ROOT


def test_the_closest_prefix_comes_first_and_root_last() -> None:
    assert prefixes.matching("a/b/c") == ["a/b", "a", ROOT]
    assert prefixes.matching("a") == [ROOT]


def test_a_slash_at_the_end_is_assumed() -> None:
    assert prefixes.without_slash("prod/") == prefixes.without_slash("prod") == "prod"


@given(st.lists(st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True), min_size=1, max_size=10))
def test_a_prefix_is_for_the_names_that_begin_with_it_and_a_slash(parts: list[str]) -> None:
    name = "/".join(parts)
    found = prefixes.matching(name)
    assert found[:-1] == sorted({name[:end] for end in range(len(name)) if name[end] == "/"}, key=len, reverse=True)
