"""The audit log: what was asked of both planes, by whom, and what was decided, counted hour by hour.

A process counts in memory (counting.py), each time for the price of one look into a dictionary, and every few seconds
adds what it counted to PostgreSQL (keeping.py). What is kept says enough of a request to decide it anew (reading.py).
"""

from berth.audit.askers import Asker
from berth.audit.counting import AuditLog
from berth.audit.entries import Ruled

__all__ = ["Asker", "AuditLog", "Ruled"]
