"""Bytes that may come to be in the store, or are there unknown to anybody: collection looks at their rows."""

from typing import Any

from sqlalchemy import Select, Text, bindparam, func, literal_column
from sqlalchemy.dialects.postgresql import Insert, insert

from berth.schema import layers

# What names the bytes in a statement that is about one blob.
KEY = (bindparam("account", type_=Text), bindparam("region", type_=Text), bindparam("digest", type_=Text))


def expecting(keys: Select[*tuple[Any, ...]]) -> Insert:
    """Rows for the bytes that `keys` selects (account, region, digest), of no known size and unused from now on."""
    columns = ["account", "region", "digest", "size", "unused_since"]
    return insert(layers).from_select(columns, keys.add_columns(literal_column("0"), func.now()))
