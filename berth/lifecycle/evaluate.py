"""What a lifecycle policy does to the images of a repository. Pure.

ECR user guide, "Lifecycle policy evaluation rules": all rules are evaluated at the same time, against all images of
their storage class; each image belongs to the first rule, by priority, whose tagging requirements it meets, and to no
other, whether that one acts on it or not.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from berth import wildcards
from berth.lifecycle.policy import Policy, Rule, Selection

# ECR user guide, "Sign images in Amazon ECR": a reference artifact has been in its storage class for so long before a
# lifecycle policy cleans it up.
MIN_TIME_OF_ARTIFACTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Image:
    """What an evaluation needs to know of an image.

    `storage_class` is `standard` or `archive`. `subject` is the digest of the image that it is about, where the
    repository holds that. `listed` is the storage class of the manifest lists that reference it: `standard` where one
    of them is, None where there is none.
    """

    digest: str
    tags: tuple[str, ...]
    storage_class: str
    pushed_at: datetime
    last_pulled_at: datetime | None = None
    archived_at: datetime | None = None
    activated_at: datetime | None = None
    subject: str | None = None
    listed: str | None = None

    @property
    def ordered_at(self) -> datetime:
        """When it came into its storage class: pushed, restored or archived. Older images are expired before newer."""
        if self.storage_class == "archive":
            return self.archived_at or self.pushed_at
        return self.activated_at or self.pushed_at

    @property
    def used_at(self) -> datetime:
        """When it was last pulled; or when it was pushed or restored, where it was not pulled since."""
        return max((moment for moment in (self.last_pulled_at, self.activated_at) if moment), default=self.pushed_at)


class Evaluation:
    """One evaluation of a policy, over any number of images, of which it keeps no more than how many each rule saw."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        self._now = now
        self._rules: dict[str, list[_RuleInUse]] = defaultdict(list)
        for rule in sorted(policy.rules, key=lambda rule: rule.priority):
            self._rules[rule.selection.selected_storage_class].append(_RuleInUse(rule, now))

    def rule_for(self, image: Image) -> Rule | None:
        """The rule that acts on `image`, if one does. The images have to come newest first, by `ordered_at`.

        An image with a subject goes with that: `follows` says when. It counts as an image all the same.
        """
        owner, is_beyond = None, False
        for rule in self._rules[image.storage_class]:
            if (owner is None or rule.counts) and rule.identifies(image):
                beyond = rule.is_beyond(image)
                if owner is None:
                    owner, is_beyond = rule.rule, beyond
        if owner is None or not is_beyond or image.subject is not None or _is_held(image, owner):
            return None
        return owner

    def follows(self, artifact: Image, rule: Rule) -> bool:
        """Whether `artifact` goes with its subject, on which `rule` acts.

        ECR user guide, "Lifecycle policy evaluation rules": reference artifacts are expired or archived after their
        subject is.
        """
        if rule.action.type == "transition" and artifact.storage_class == rule.action.target_storage_class:
            return False
        return artifact.ordered_at <= self._now - MIN_TIME_OF_ARTIFACTS and not _is_held(artifact, rule)


class _RuleInUse:
    """A rule, and how many images it has identified."""

    def __init__(self, rule: Rule, now: datetime) -> None:
        self.rule = rule
        self.counts = rule.selection.count_type == "imageCountMoreThan"
        self._matches = _matcher(rule.selection)
        self._identified = 0
        self._moment_of = _MOMENTS.get(rule.selection.count_type)
        self._limit = rule.selection.count_number
        self._earliest = None if self.counts else _days_before(now, rule.selection.count_number)

    def identifies(self, image: Image) -> bool:
        return self._matches(image.tags)

    def is_beyond(self, image: Image) -> bool:
        """Whether `image`, which the rule identifies, lies beyond its count or its age. Counts the image."""
        if self._moment_of is None:
            self._identified += 1
            return self._identified > self._limit
        return self._earliest is not None and self._moment_of(image) < self._earliest


_MOMENTS: dict[str, Callable[[Image], datetime]] = {
    "sinceImagePushed": lambda image: image.ordered_at,
    "sinceImagePulled": lambda image: image.used_at,
    "sinceImageTransitioned": lambda image: image.ordered_at,
}


def _matcher(selection: Selection) -> Callable[[tuple[str, ...]], bool]:
    """Whether an image with these tags meets the tagging requirements: one tag for each of the prefixes or patterns."""
    prefixes = selection.tag_prefixes
    expressions = tuple(_expression(pattern) for pattern in selection.tag_patterns)
    if selection.tag_status == "any":
        return lambda _tags: True
    if selection.tag_status == "untagged":
        return lambda tags: not tags
    if prefixes:
        return lambda tags: all(any(tag.startswith(prefix) for tag in tags) for prefix in prefixes)
    return lambda tags: all(any(matches(tag) for tag in tags) for matches in expressions)


def _expression(pattern: str) -> Callable[[str], bool]:
    """`wildcards.matches` of that pattern, where most tags are turned away by how they begin."""
    head = pattern.partition("*")[0]
    return lambda tag: tag.startswith(head) and wildcards.matches(pattern, tag)


def _days_before(now: datetime, days: int) -> datetime | None:
    """None where that is before all time."""
    try:
        return now - timedelta(days=days)
    except OverflowError:
        return None


def _is_held(image: Image, rule: Rule) -> bool:
    """Whether a manifest list keeps the rule from the image: it has to be deleted, or archived, first."""
    if rule.action.type == "expire":
        return image.listed is not None
    return image.listed == "standard"
