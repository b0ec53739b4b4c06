"""Access keys that exist, remembered for as long as nobody takes them back."""

from berth import changes
from berth.cache import Cache
from berth.db import Database
from berth.ear import Ear
from berth.identity import access_keys

MOST_BYTES = 4 * 1024 * 1024


class KnownKeys:
    """Asks whether an access key exists; of one that does, not again."""

    def __init__(self, database: Database, ear: Ear) -> None:
        self._database = database
        self._known: Cache[bool] = Cache(ear, MOST_BYTES)

    def recall(self, access_key_id: str) -> bool:
        """Whether the key is known to exist; where not, it still may."""
        return self._known.get(access_key_id) is not None

    async def exists(self, access_key_id: str) -> bool:
        if self.recall(access_key_id):
            return True
        moment = self._known.moment
        if not await access_keys.exists(self._database, access_key_id):
            return False
        self._known.keep(
            access_key_id, True, subject=changes.of_key(access_key_id), size=len(access_key_id), since=moment
        )
        return True
