"""Collection of garbage: what nobody needs any more goes away while everybody works (ADR 14)."""

from berth.collection.collecting import Collected, Windows, collect
from berth.collection.sweeping import StoreOfAnother, check_is_ours, sweep

__all__ = ["Collected", "StoreOfAnother", "Windows", "check_is_ours", "collect", "sweep"]
