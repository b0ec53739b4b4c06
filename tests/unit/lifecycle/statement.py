"""The rules of lifecycle policies, stated once more: slower than the evaluator, and without anything of it.

ECR user guide, "Lifecycle policy evaluation rules"; each function has the sentences that it states in its docstring.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from berth.lifecycle.policy import Action, Policy, Rule, Selection

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Stored:
    """An image as a repository has it."""

    digest: str
    tags: tuple[str, ...] = ()
    pushed: datetime = NOW
    pulled: datetime | None = None
    archived: datetime | None = None
    activated: datetime | None = None
    is_archived: bool = False
    subject: str | None = None
    lists: tuple[str, ...] = ()

    @property
    def storage_class(self) -> str:
        return "archive" if self.is_archived else "standard"


def outcome(repository: Sequence[Stored], policy: Policy, now: datetime = NOW) -> dict[str, int]:
    """The priority of the rule that acts on each image, of those on which one does."""
    fates = {image.digest: fate(image, repository, policy, now) for image in repository}
    return {digest: rule.priority for digest, rule in fates.items() if rule is not None}


def fate(image: Stored, repository: Sequence[Stored], policy: Policy, now: datetime) -> Rule | None:
    """An image is expired or archived by exactly one or zero rules.

    An image that matches the tagging requirements of a rule cannot be expired or archived by a rule with a lower
    priority.
    """
    subjects = [other for other in repository if other.digest == image.subject]
    if subjects:
        return fate_of_artifact(image, subjects[0], repository, policy, now)
    identifying = [rule for rule in policy.rules if identifies(rule, image)]
    if not identifying:
        return None
    rule = min(identifying, key=lambda rule: rule.priority)
    if not marks(rule, image, repository, now) or is_held(image, rule, repository):
        return None
    return rule


def fate_of_artifact(
    artifact: Stored, subject: Stored, repository: Sequence[Stored], policy: Policy, now: datetime
) -> Rule | None:
    """Lifecycle policies automatically expire or archive reference artifacts once the subject image is.

    The artifact must also remain in its current storage class for at least 24 hours.
    """
    rule = fate(subject, repository, policy, now)
    if rule is None or is_held(artifact, rule, repository):
        return None
    if now - came_into_its_class(artifact) < timedelta(hours=24):
        return None
    if rule.action.type == "transition" and artifact.is_archived:
        return None
    return rule


def identifies(rule: Rule, image: Stored) -> bool:
    """The rule will only select images of this storage class. If you omit this, `standard` is used.

    An image is matched if all of the tags in the list are matched against any of the image's tags.
    """
    selection = rule.selection
    if (selection.storage_class or "standard") != image.storage_class:
        return False
    if selection.tag_status == "any":
        return True
    if selection.tag_status == "untagged":
        return len(image.tags) == 0
    expressions = [re.escape(prefix) + ".*" for prefix in selection.tag_prefixes]
    expressions += [".*".join(map(re.escape, pattern.split("*"))) for pattern in selection.tag_patterns]
    return all(any(re.fullmatch(expression, tag) for tag in image.tags) for expression in expressions)


def marks(rule: Rule, image: Stored, repository: Sequence[Stored], now: datetime) -> bool:
    """Images are sorted from youngest to oldest, and then all images greater than the specified count are expired.

    Rules can still identify images that are marked by higher priority rules as if they hadn't been.
    All images whose time is older than the specified number of days are expired.
    """
    selection = rule.selection
    if selection.count_type == "imageCountMoreThan":
        newer = [
            other
            for other in repository
            if identifies(rule, other)
            and (came_into_its_class(other), other.digest) > (came_into_its_class(image), image.digest)
        ]
        return len(newer) >= selection.count_number
    counts_from = was_used(image) if selection.count_type == "sinceImagePulled" else came_into_its_class(image)
    return (now - counts_from) / timedelta(days=1) > selection.count_number


def came_into_its_class(image: Stored) -> datetime:
    """If an image was archived and then restored, its last_activated_at is used instead of pushed_at_time."""
    if image.is_archived:
        assert image.archived
        return image.archived
    return image.pushed if image.activated is None else image.activated


def was_used(image: Stored) -> datetime:
    """If an image was never pulled, pushed_at_time is used instead of last_recorded_pulltime.

    If it was archived and then restored, but never pulled since, last_activated_at is used instead.
    """
    pulled_since = image.pulled is not None and (image.activated is None or image.pulled > image.activated)
    if pulled_since:
        assert image.pulled
        return image.pulled
    return image.pushed if image.activated is None else image.activated


def is_held(image: Stored, rule: Rule, repository: Sequence[Stored]) -> bool:
    """An image that a manifest list references cannot be expired or archived without that being deleted or archived."""
    lists = [other for other in repository if image.digest in other.lists]
    if rule.action.type == "expire":
        return len(lists) > 0
    return any(not each.is_archived for each in lists)


TAGS = ("v1", "v2", "v10", "prod-1", "prod-2", "dev", "v1-prod", "beta", "latest")
PATTERNS = ("v*", "*prod*", "v1", "*", "beta*", "*-*1", "dev")
PREFIXES = ("v", "v1", "prod", "be", "latest")
moments = st.sampled_from([0, 1, 23, 24, 25, 48, 50, 72, 99]).map(lambda hours: NOW - timedelta(hours=hours))


@st.composite
def repositories(draw: st.DrawFn) -> list[Stored]:
    """Repositories of up to 8 images, some of which are lists of earlier ones, or about an earlier one."""
    count = draw(st.integers(0, 8))
    placed = draw(st.lists(st.integers(0, 8), min_size=len(TAGS), max_size=len(TAGS)))
    digests = draw(st.permutations([f"sha256:{number:064x}" for number in range(count)]))
    images: list[Stored] = []
    for number in range(count):
        earlier = digests[:number]
        is_archived = draw(st.sampled_from([False, False, True]))
        images.append(
            Stored(
                digest=digests[number],
                tags=tuple(sorted(tag for tag, place in zip(TAGS, placed, strict=True) if place == number)),
                pushed=draw(moments),
                pulled=draw(st.none() | moments),
                archived=draw(moments) if is_archived else draw(st.none() | moments),
                activated=draw(st.none() | moments),
                is_archived=is_archived,
                subject=draw(st.none() | st.none() | st.sampled_from([*earlier, "sha256:" + "e" * 64])),
                lists=tuple(draw(st.sets(st.sampled_from(earlier), max_size=1))) if earlier else (),
            )
        )
    return images


@st.composite
def rules(draw: st.DrawFn, priority: int) -> Rule:
    is_transition = draw(st.booleans())
    action = Action("transition", "archive") if is_transition else Action("expire", None)
    ages = st.sampled_from(["sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"])
    count_type = draw(st.just("imageCountMoreThan") | ages)
    storage_class = "archive" if count_type == "sinceImageTransitioned" else draw(st.sampled_from([None, "standard"]))
    tag_status = draw(st.sampled_from(["any", "tagged", "tagged", "untagged"]))
    by_prefix = tag_status == "tagged" and draw(st.booleans())
    by_pattern = tag_status == "tagged" and not by_prefix
    return Rule(
        priority=priority,
        description=None,
        selection=Selection(
            tag_status=tag_status,
            tag_prefixes=tuple(draw(st.sets(st.sampled_from(PREFIXES), min_size=1, max_size=2))) if by_prefix else (),
            tag_patterns=tuple(draw(st.sets(st.sampled_from(PATTERNS), min_size=1, max_size=2))) if by_pattern else (),
            storage_class=storage_class,
            count_type=count_type,
            count_unit=None if count_type == "imageCountMoreThan" else "days",
            count_number=draw(st.integers(1, 3)),
        ),
        action=action,
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies of up to 4 rules, in any order; also such as contradict each other: the evaluation is not to care."""
    priorities = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True))
    return Policy(tuple(draw(rules(priority)) for priority in priorities))
