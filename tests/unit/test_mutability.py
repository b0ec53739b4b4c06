import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidParameter
from berth.repositories.mutability import Mode, Mutability


def wildcard(*patterns: str) -> list[dict[str, str]]:
    return [{"filterType": "WILDCARD", "filter": pattern} for pattern in patterns]


@pytest.mark.parametrize(("mode", "immutable"), [("MUTABLE", False), ("IMMUTABLE", True)])
def test_a_plain_mode_treats_all_tags_alike(mode: str, immutable: bool) -> None:
    for filters in (None, []):
        mutability = Mutability.of(mode, filters)
        assert mutability.is_immutable("latest") is immutable
        assert mutability.filters_as_json() == []


def test_an_exclusion_takes_its_tags_out_of_the_mode() -> None:
    immutable = Mutability.of("IMMUTABLE_WITH_EXCLUSION", wildcard("latest", "dev-*"))
    assert [immutable.is_immutable(tag) for tag in ("latest", "dev-1", "v1")] == [False, False, True]
    mutable = Mutability.of("MUTABLE_WITH_EXCLUSION", wildcard("v*"))
    assert [mutable.is_immutable(tag) for tag in ("v1", "latest")] == [True, False]


def test_filters_keep_ecrs_json() -> None:
    assert Mutability.of("IMMUTABLE_WITH_EXCLUSION", wildcard("a*", "*b*")).filters_as_json() == wildcard("a*", "*b*")


@pytest.mark.parametrize("mode", ["MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"])
@pytest.mark.parametrize("filters", [None, []])
def test_an_exclusion_needs_filters(mode: str, filters: list[dict[str, str]] | None) -> None:
    with pytest.raises(InvalidParameter) as refused:
        Mutability.of(mode, filters)
    assert refused.value.message == (
        "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
        f"'ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as {mode}'"
    )


@pytest.mark.parametrize("mode", ["MUTABLE", "IMMUTABLE"])
def test_a_plain_mode_refuses_filters(mode: str) -> None:
    with pytest.raises(InvalidParameter, match=f"are not allowed when imageTagMutability is set as {mode}'$"):
        Mutability.of(mode, wildcard("latest"))


def test_a_mode_that_ecr_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"at 'imageTagMutability' failed .* enum value set"):
        Mutability.of("FROZEN")


@pytest.mark.parametrize("pattern", ["", "a" * 129, "ä", "a b", "v1\n", "a/b", "*a*b*"])
def test_a_filter_outside_the_grammar_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidParameter, match="imageTagMutabilityExclusionFilters"):
        Mutability.of("IMMUTABLE_WITH_EXCLUSION", wildcard(pattern))


def test_five_filters_are_taken_and_six_refused() -> None:
    assert len(Mutability.of("MUTABLE_WITH_EXCLUSION", wildcard(*"abcde")).filters) == 5
    with pytest.raises(InvalidParameter, match="length less than or equal to 5"):
        Mutability.of("MUTABLE_WITH_EXCLUSION", wildcard(*"abcdef"))


@pytest.mark.parametrize("entry", [{"filterType": "REGEX", "filter": "a"}, {"filter": "a"}, {"filterType": "WILDCARD"}])
def test_a_filter_of_another_kind_is_refused(entry: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        Mutability.of("MUTABLE_WITH_EXCLUSION", [entry])


@given(st.from_regex(r"[ab.]{0,3}(\*[ab.]{1,3})?\*?", fullmatch=True).filter(bool), st.text("ab.", min_size=1))
def test_the_two_exclusions_are_each_others_opposite(pattern: str, tag: str) -> None:
    frozen = Mutability.of(Mode.IMMUTABLE_WITH_EXCLUSION, wildcard(pattern))
    loose = Mutability.of(Mode.MUTABLE_WITH_EXCLUSION, wildcard(pattern))
    assert frozen.is_immutable(tag) is not loose.is_immutable(tag)
