"""Deleted images come back: as they were, byte for byte, with the tags that no other image took meanwhile."""

from berth.recovery.choosing import CannotRestore
from berth.recovery.restoring import Restored, restore

__all__ = ["CannotRestore", "Restored", "restore"]
