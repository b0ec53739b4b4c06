"""What the tables say that the store has: verified, and carried from one store to another, while Berth serves."""

from berth.stored.moving import Moved, move
from berth.stored.rows import Extent, extent
from berth.stored.verifying import Report, verify

__all__ = ["Extent", "Moved", "Report", "extent", "move", "verify"]
