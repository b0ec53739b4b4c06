"""What a check finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` says what to do; it is empty where all is well."""

    thing: str
    text: str
    mend: str = ""

    @property
    def is_well(self) -> bool:
        return not self.mend

    def __str__(self) -> str:
        line = f"{'✓' if self.is_well else '✗'} {self.thing:<12} {self.text}"
        return line if self.is_well else f"{line}\n  → {self.mend}"
