"""What a template may say, and which one a new repository gets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import InvalidInput, InvalidParameter
from berth.names import Registry
from berth.repositories.mutability import Mutability
from berth.templates import template
from berth.templates.template import AppliedFor, Template, template_for

REGISTRY = Registry("111122223333", "eu-west-1")
PUSH, CACHE = (AppliedFor.CREATE_ON_PUSH,), (AppliedFor.PULL_THROUGH_CACHE,)
PREFIXES = ("a", "a/b", "a/b/", "ab", "b", "ROOT", "a/b/c")


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("prod/team/app", "prod/team/"),
        ("prod/team/deep/app", "prod/team/"),
        ("prod/app", "prod"),
        ("prod/cached/app", "prod"),
        ("production/app", "ROOT"),
        ("prod", "ROOT"),
        ("app", "ROOT"),
    ],
)
def test_the_closest_prefix_decides_and_root_where_there_is_none(name: str, prefix: str) -> None:
    templates = [
        Template("ROOT", PUSH),
        Template("prod", PUSH),
        Template("prod/team/", PUSH),
        Template("prod/cached", CACHE),
    ]
    for order in (templates, templates[::-1]):
        found = template_for(order, name, AppliedFor.CREATE_ON_PUSH)
        assert found is not None
        assert found.prefix == prefix


def test_without_a_template_for_it_a_repository_gets_none() -> None:
    assert template_for([Template("ROOT", CACHE), Template("prod", PUSH)], "test/app", PUSH[0]) is None


@given(
    st.lists(st.builds(Template, st.sampled_from(PREFIXES), st.sampled_from([PUSH, CACHE, PUSH + CACHE, ()]))),
    st.from_regex(r"[abc](/[abc]){0,3}", fullmatch=True),
)
def test_it_is_the_longest_of_those_that_are_for_the_repository(templates: list[Template], name: str) -> None:
    unique = list({one.key: one for one in templates}.values())
    for_it = [
        one
        for one in unique
        if PUSH[0] in one.applied_for
        and (one.prefix == "ROOT" or (f"{name}/".startswith(f"{one.key}/") and one.key != name))
    ]
    expected = max(for_it, key=lambda one: -1 if one.prefix == "ROOT" else len(one.key), default=None)
    assert template_for(unique, name, PUSH[0]) == expected


def test_an_empty_text_is_none() -> None:
    assert template.parse_repository_policy("") is None
    assert template.parse_lifecycle_policy("") is None
    assert template.parse_role(REGISTRY, "") is None
    assert template.parse_encryption(REGISTRY, {"encryptionType": "AES256", "kmsKey": ""}) == {
        "encryptionType": "AES256"
    }


def test_policies_are_checked_as_those_of_a_repository_are() -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages"}]}
    assert '"Effect" : "Allow"' in (template.parse_repository_policy(json.dumps(policy)) or "")
    with pytest.raises(InvalidParameter, match="Invalid repository policy provided"):
        template.parse_repository_policy("{}")
    with pytest.raises(InvalidParameter, match="lifecyclePolicyText"):
        template.parse_lifecycle_policy("{}")


def test_a_key_is_in_the_region_of_the_registry() -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
    given = {"encryptionType": "KMS", "kmsKey": key}
    assert template.parse_encryption(REGISTRY, given) == given
    assert template.parse_encryption(REGISTRY, {"encryptionType": "KMS"}) == {"encryptionType": "KMS"}
    with pytest.raises(InvalidParameter, match="region"):
        template.parse_encryption(REGISTRY, {"encryptionType": "KMS", "kmsKey": key.replace("west-1", "west-2")})


@pytest.mark.parametrize(
    "tags",
    [[{"Key": "aws:x", "Value": ""}], [{"Key": f"k{number}", "Value": ""} for number in range(51)]],
)
def test_tags_that_a_repository_can_not_have_are_refused_with_the_error_that_the_model_has(
    tags: list[dict[str, str]],
) -> None:
    with pytest.raises(InvalidInput) as caught:
        template.parse_tags(tags)
    assert caught.value.code == "InvalidParameterException"


def test_mutability_changes_by_what_is_given_and_keeps_the_rest() -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    excluded = Mutability.of("IMMUTABLE_WITH_EXCLUSION", filters)
    change = template.change_mutability
    assert change(excluded, None, None) == excluded
    assert change(excluded, "MUTABLE_WITH_EXCLUSION", None) == Mutability.of("MUTABLE_WITH_EXCLUSION", filters)
    assert change(excluded, "IMMUTABLE", None) == Mutability.of("IMMUTABLE")
    assert change(Mutability.of("MUTABLE"), "IMMUTABLE_WITH_EXCLUSION", filters) == excluded
    for mode in (None, "IMMUTABLE"):
        with pytest.raises(InvalidParameter, match="not allowed"):
            change(excluded, mode, filters)
    with pytest.raises(InvalidParameter, match="can't be null"):
        change(Mutability.of("MUTABLE"), "MUTABLE_WITH_EXCLUSION", None)
