"""Whose access key a request was signed with."""

import time
from collections import OrderedDict

from berth.db import Database
from berth.identity import access_keys
from berth.identity.access_keys import AccessKey
from berth.sealing import Seal
from controlplane.wire.faults import UnrecognizedClient

# How long a key that was taken back may still be believed here.
BELIEVED_SECONDS = 5.0
REMEMBERED = 1000


class Callers:
    """Access keys by their ids, each remembered for a few seconds: a busy client costs no query a call."""

    def __init__(self, database: Database, master: Seal) -> None:
        self._database = database
        self._master = master
        self._known: OrderedDict[str, tuple[float, AccessKey]] = OrderedDict()

    async def find(self, access_key_id: str) -> AccessKey:
        """Raises UnrecognizedClient."""
        now = time.monotonic()
        until, known = self._known.get(access_key_id, (0.0, None))
        if known is not None and now < until:
            return known
        found = await access_keys.find(self._database, self._master, access_key_id)
        self._known.pop(access_key_id, None)
        if found is None:
            raise UnrecognizedClient
        self._known[access_key_id] = (now + BELIEVED_SECONDS, found)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found
