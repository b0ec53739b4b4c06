"""Repositories: create, find, describe, delete, and the settings, documents and tags of each."""

from berth.repositories.changing import create, set_mutability, set_scan_on_push
from berth.repositories.finding import HELD, ask, get, get_all, hold, page
from berth.repositories.removing import remove
from berth.repositories.repository import COLUMNS, NAMED, OF_REGISTRY, Repository, from_row, named, naming

__all__ = [
    "COLUMNS",
    "HELD",
    "NAMED",
    "OF_REGISTRY",
    "Repository",
    "ask",
    "create",
    "from_row",
    "get",
    "get_all",
    "hold",
    "named",
    "naming",
    "page",
    "remove",
    "set_mutability",
    "set_scan_on_push",
]
