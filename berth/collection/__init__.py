"""Collection of garbage: what nobody needs any more goes away while everybody works (ADR 14)."""

from berth.collection.collecting import Collected, Windows, collect
from berth.collection.sweeping import sweep

__all__ = ["Collected", "Windows", "collect", "sweep"]
