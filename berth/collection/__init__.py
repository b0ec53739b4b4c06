"""Collection of garbage: what nobody needs any more goes away while everybody works (ADR 10)."""

from berth.collection.collecting import Collected, Windows, collect

__all__ = ["Collected", "Windows", "collect"]
