"""What a lifecycle policy says: rules, each with what it selects and what it does to that. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images a rule is about: those of a tag status and storage class, beyond a count or an age in days.

    `tag_prefixes` or `tag_patterns` is there when `tag_status` is `tagged`; an image must have a tag for each of them.
    `count_type` is `imageCountMoreThan`, `sinceImagePushed`, `sinceImagePulled` or `sinceImageTransitioned`;
    `count_unit` is `days` for all but the first, which has none.
    """

    tag_status: str
    tag_prefixes: tuple[str, ...]
    tag_patterns: tuple[str, ...]
    storage_class: str | None
    count_type: str
    count_unit: str | None
    count_number: int

    @property
    def selected_storage_class(self) -> str:
        """The storage class that the rule looks at: `standard` where it names none."""
        return self.storage_class or "standard"


@dataclass(frozen=True, slots=True)
class Action:
    """`expire`, or `transition` to the storage class `archive`."""

    type: str
    target_storage_class: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """The lower its `priority`, the earlier a rule takes its images."""

    priority: int
    description: str | None
    selection: Selection
    action: Action


@dataclass(frozen=True, slots=True)
class Policy:
    """1 to 50 rules, in the order of the text."""

    rules: tuple[Rule, ...]
