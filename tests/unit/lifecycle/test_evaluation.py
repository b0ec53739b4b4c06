"""What a lifecycle policy does to the images of a repository: ECR's own examples, and any others."""

import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings

from berth.lifecycle.evaluate import Evaluation, Image
from berth.lifecycle.policy import Action, Policy, Rule, Selection
from tests.unit.lifecycle.statement import NOW, Stored, outcome, policies, repositories

# Others go through the same code once; to count it a thousand times would take as long again.
pytestmark = pytest.mark.no_cover

ARCHIVE = Action("transition", "archive")


def evaluated(repository: Sequence[Stored], policy: Policy, now: datetime = NOW) -> dict[str, int]:
    """The priority of the rule that acts on each image, by the evaluator."""
    seen = [seen_of(image, repository) for image in repository]
    newest_first = sorted(seen, key=lambda image: (image.ordered_at, image.digest), reverse=True)
    evaluation = Evaluation(policy, now)
    acting = {image.digest: rule for image in newest_first if (rule := evaluation.rule_for(image))}
    artifacts = [image for image in seen if image.subject]
    for _ in artifacts:
        acting |= {
            artifact.digest: acting[artifact.subject]
            for artifact in artifacts
            if artifact.subject in acting and evaluation.follows(artifact, acting[artifact.subject])
        }
    return {digest: rule.priority for digest, rule in acting.items()}


def seen_of(image: Stored, repository: Sequence[Stored]) -> Image:
    classes = [other.storage_class for other in repository if image.digest in other.lists]
    return Image(
        digest=image.digest,
        tags=image.tags,
        storage_class=image.storage_class,
        pushed_at=image.pushed,
        last_pulled_at=image.pulled,
        archived_at=image.archived,
        activated_at=image.activated,
        subject=image.subject if any(other.digest == image.subject for other in repository) else None,
        listed=max(classes, default=None),
    )


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def stored(digest: str, days: float, *tags: str, **more: Any) -> Stored:
    return Stored(digest, tags, ago(days), **more)


def rule(priority: int, *tags: str, action: Action | None = None, **selection: Any) -> Rule:
    """A rule about tags of these patterns; without any, `tag_status` says what it is about."""
    chosen: dict[str, Any] = {
        "tag_status": "tagged" if tags else "any",
        "tag_prefixes": (),
        "tag_patterns": tags,
        "storage_class": None,
        "count_type": "imageCountMoreThan",
        "count_unit": None,
        "count_number": 1,
        **selection,
    }
    return Rule(priority, None, Selection(**chosen), action or Action("expire", None))


def since(what: str, days: int) -> dict[str, Any]:
    more = {"storage_class": "archive"} if what == "Transitioned" else {}
    return {"count_type": f"sinceImage{what}", "count_unit": "days", "count_number": days, **more}


def acted_on(images: Sequence[Stored], *rules: Rule) -> str:
    """The images that the policy acts on, by their digests: "A B"."""
    return " ".join(sorted(evaluated(images, Policy(rules))))


@settings(max_examples=500)
@given(repositories(), policies())
@example([], Policy((rule(1),)))
def test_an_evaluation_comes_to_what_the_rules_say(repository: list[Stored], policy: Policy) -> None:
    assert evaluated(repository, policy) == outcome(repository, policy)


# ECR user guide, "Examples of lifecycle policies"

PROD_AND_BETA = [stored("A", 10, "beta-1", "prod-1"), stored("B", 9, "beta-2", "prod-2"), stored("C", 8, "beta-3")]


def test_multiple_rules_example_a() -> None:
    assert acted_on(PROD_AND_BETA, rule(1, "prod*"), rule(2, "beta*")) == "A"


def test_multiple_rules_example_b() -> None:
    assert acted_on(PROD_AND_BETA, rule(1, "beta*"), rule(2, "prod*")) == "A B"


def test_multiple_tags_example_a() -> None:
    images = [
        stored("A", 12, "alpha-1"),
        stored("B", 11, "beta-1"),
        stored("C", 10, "alpha-2", "beta-2"),
        stored("D", 4, "alpha-3"),
        stored("E", 3, "beta-3"),
        stored("F", 2, "alpha-4", "beta-4"),
    ]
    assert acted_on(images, rule(1, "alpha*", "beta*", **since("Pushed", 5))) == "C"


def test_multiple_tags_example_b() -> None:
    images = [
        stored("A", 10, "alpha-1", "beta-1", "gamma-1"),
        stored("B", 9, "alpha-2", "beta-2"),
        stored("C", 8, "alpha-3", "beta-3", "gamma-2"),
    ]
    assert acted_on(images, rule(1, "alpha*", "beta*")) == "A B"


def test_all_images_example_a() -> None:
    images = [stored("A", 4, "alpha-1"), stored("B", 3, "beta-1"), stored("C", 2), stored("D", 1, "alpha-2")]
    assert acted_on(images, rule(1)) == "A B C"


def test_all_images_example_b() -> None:
    images = [
        stored("A", 4, "alpha-1", "beta-1"),
        stored("B", 3),
        stored("C", 2, "alpha-2"),
        stored("D", 1, "git hash"),
        stored("E", 1),
    ]
    rules = (rule(1, "alpha*"), rule(2, tag_status="untagged", **since("Pushed", 1)), rule(3))
    assert acted_on(images, *rules) == "A B D"
    assert evaluated(images, Policy(rules)) == {"A": 1, "B": 2, "D": 3}


# Each rule of "Lifecycle policy evaluation rules" by itself


@pytest.mark.parametrize(
    ("image", "selection", "acts"),
    [
        (stored("A", 5), since("Pushed", 5), False),
        (stored("A", 5.01), since("Pushed", 5), True),
        (stored("A", 9, activated=ago(1)), since("Pushed", 5), False),
        (stored("A", 9), since("Pulled", 5), True),
        (stored("A", 9, pulled=ago(6)), since("Pulled", 5), True),
        (stored("A", 9, pulled=ago(2)), since("Pulled", 5), False),
        (stored("A", 9, pulled=ago(8), archived=ago(7), activated=ago(6)), since("Pulled", 5), True),
        (stored("A", 9, pulled=ago(8), archived=ago(7), activated=ago(4)), since("Pulled", 5), False),
        (stored("A", 9, pulled=ago(1), archived=ago(7), activated=ago(6)), since("Pulled", 5), False),
        (stored("A", 99, archived=ago(91), is_archived=True), since("Transitioned", 90), True),
        (stored("A", 99, archived=ago(90), is_archived=True), since("Transitioned", 90), False),
        (stored("A", 99, archived=ago(91), activated=ago(92), is_archived=True), since("Transitioned", 90), True),
        (stored("A", 99), since("Transitioned", 90), False),
        (stored("A", 99, archived=ago(91), is_archived=True), since("Pushed", 5), False),
        (stored("A", 99), since("Pushed", 2**31 - 1), False),
    ],
)
def test_age_counts_from_the_right_moment(image: Stored, selection: dict[str, Any], acts: bool) -> None:
    assert acted_on([image], rule(1, **selection)) == ("A" if acts else "")


def test_restored_images_count_as_newer() -> None:
    assert acted_on([stored("A", 9, archived=ago(5), activated=ago(1)), stored("B", 3)], rule(1)) == "B"


def test_prefixes_are_of_one_tag_each() -> None:
    by_prefix = rule(1, tag_status="tagged", tag_prefixes=("v", "prod"), **since("Pushed", 1))
    images = [stored("A", 2, "v1"), stored("B", 2, "v2", "prod-2"), stored("C", 2, "xv", "prod"), stored("D", 2)]
    assert acted_on(images, by_prefix) == "B"


def test_an_image_is_left_to_the_rule_that_spares_it() -> None:
    images = [stored("A", 9, "prod"), stored("B", 9)]
    assert acted_on(images, rule(1, "prod", count_number=99), rule(2, **since("Pushed", 1))) == "B"


def test_rules_of_another_storage_class_do_not_take_an_image() -> None:
    archived = stored("A", 200, "v1", archived=ago(100), is_archived=True)
    rules = (rule(1, action=ARCHIVE, **since("Pulled", 30)), rule(2, **since("Transitioned", 90)))
    assert evaluated([archived, stored("B", 200, "v2")], Policy(rules)) == {"A": 2, "B": 1}


@pytest.mark.parametrize("action", [Action("expire", None), ARCHIVE])
def test_what_a_list_references_stays_and_counts(action: Action) -> None:
    images = [stored("A", 9), stored("B", 8), stored("L", 7, "v1", lists=("A", "B")), stored("O", 6)]
    assert acted_on(images, rule(1, action=action, count_number=1)) == "L"
    assert acted_on(images, rule(1, action=action, count_number=2)) == ""
    assert acted_on(images[:2] + images[3:], rule(1, action=action, count_number=2)) == "A"


def test_what_an_archived_list_references_is_archived_and_not_expired() -> None:
    images = [stored("A", 9), stored("L", 9, lists=("A",), archived=ago(1), is_archived=True)]
    assert acted_on(images, rule(1, action=ARCHIVE, **since("Pushed", 1))) == "A"
    assert acted_on(images, rule(1, **since("Pushed", 1))) == ""


def test_artifacts_go_with_their_subject_and_not_before() -> None:
    images = [stored("A", 9, "v1"), stored("S", 8, subject="A"), stored("T", 8, subject="S"), stored("U", 8)]
    untagged = rule(1, tag_status="untagged", **since("Pushed", 1))
    assert evaluated(images, Policy((untagged,))) == {"U": 1}
    assert evaluated(images, Policy((untagged, rule(2, **since("Pushed", 1))))) == {"U": 1, "A": 2, "S": 2, "T": 2}


@pytest.mark.parametrize(
    ("artifact", "goes"),
    [
        (stored("S", 1, subject="A"), True),
        (stored("S", 0.99, subject="A"), False),
        (stored("S", 9, subject="A", archived=ago(5), activated=ago(0.99)), False),
        (stored("S", 9, subject="A", archived=ago(5), is_archived=True), True),
        (stored("S", 9, subject="A", archived=ago(0.99), is_archived=True), False),
    ],
)
def test_artifacts_go_when_they_were_in_their_class_for_a_day(artifact: Stored, goes: bool) -> None:
    images = [stored("A", 9, "v1"), artifact]
    assert acted_on(images, rule(1, **since("Pushed", 5))) == ("A S" if goes else "A")


def test_an_archived_artifact_is_not_archived_again() -> None:
    images = [stored("A", 9, "v1"), stored("S", 9, subject="A", archived=ago(5), is_archived=True)]
    assert acted_on(images, rule(1, action=ARCHIVE, **since("Pushed", 5))) == "A"


def test_an_artifact_whose_subject_is_elsewhere_is_an_image_like_any_other() -> None:
    assert acted_on([stored("S", 9, subject="elsewhere")], rule(1, **since("Pushed", 5))) == "S"


# Size


RULES = [rule(priority, f"{chr(96 + priority)}*", count_number=priority) for priority in range(1, 20)]
LARGE = Policy((*RULES, rule(99, **since("Pulled", 30))))


def one_a_minute(count: int) -> Iterator[Image]:
    """Images whose tags begin with the letters of the alphabet in turn."""
    for number in range(count):
        tags = (f"{chr(97 + number % 26)}{number}",)
        yield Image(str(number), tags, "standard", NOW - timedelta(minutes=number))


@pytest.mark.timeout(120)  # Looking at each image for each other one would take hours.
def test_100_000_images_are_evaluated_one_by_one() -> None:
    evaluation = Evaluation(LARGE, NOW)
    acted = sum(1 for image in one_a_minute(100_000) if evaluation.rule_for(image))
    too_many = sum(number // 26 > number % 26 for number in range(100_000) if number % 26 < 19)
    too_old = sum(number > 30 * 24 * 60 for number in range(100_000) if number % 26 >= 19)
    assert acted == too_many + too_old


def test_an_evaluation_keeps_no_images() -> None:
    evaluation = Evaluation(LARGE, NOW)
    tracemalloc.start()
    try:
        for image in one_a_minute(5_000):
            evaluation.rule_for(image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000
