"""Registry passwords, page tokens and download addresses: short texts that Berth seals and later believes.

Each is sealed with the newest key of a ring that all processes share, and names that key, so that the ring can be
rotated without making what it sealed before worthless.
"""

import asyncio
import base64
import binascii
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from berth.database.db import Database
from berth.identity.principals import Principal
from berth.schema import keyring
from berth.sealing import Seal, SealBroken, new_key

PASSWORD_SECONDS = 12 * 3600
_KEY_PURPOSE = "key of the key ring"
# Whoever invents ids of keys makes no more questions than one in this time; who comes meanwhile waits for the next.
_LOOK_SECONDS = 0.25
# Ids rise by one; what is far beyond is none.
_HIGHEST_LEAP = 1000
_PASSWORD_PURPOSE = "registry password"  # noqa: S105
_MAKING_LOCK = 0x42455254
_ID_BYTES = 4
# Longer than anything that was ever sealed here: what is longer need not be looked at.
_LONGEST_TEXT = 8192
# Claims of fewer bytes would not become much shorter.
_LONG_CLAIMS = 512


class PasswordExpired(Exception):
    """The password was good once: GetAuthorizationToken gives a new one."""


@dataclass(frozen=True, slots=True)
class Password:
    """What a registry password says: who got it, and until when it holds (seconds since 1970)."""

    principal: Principal
    expires_at: int


class KeyRing:
    """The keys that seal what goes out and comes back. The newest closes; any opens."""

    def __init__(
        self, keys: Mapping[int, bytes], load: Callable[[], Awaitable[Mapping[int, bytes]]] | None = None
    ) -> None:
        """`load` gives all the keys that there are by now; without it, they stay as they are."""
        self._load = load
        self._coming_look: asyncio.Future[None] | None = None
        self._looked_at = float("-inf")
        self._take(keys)

    def _take(self, keys: Mapping[int, bytes]) -> None:
        self._seals = {key_id: Seal(key) for key_id, key in keys.items()}
        self.newest = max(keys)

    async def renew(self) -> None:
        """Take the keys that there are by now. Raises DatabaseUnavailable, SealBroken."""
        if self._load is not None:
            self._take(await self._load())

    async def meet(self, sealed_text: str) -> None:
        """Look for the key of the text, before it is opened, if it may be one that another process made just now.

        Raises DatabaseUnavailable, SealBroken.
        """
        if 0 < _key_id(sealed_text) - self.newest <= _HIGHEST_LEAP:
            if self._coming_look is None:
                self._coming_look = asyncio.ensure_future(self._look())
            await asyncio.shield(self._coming_look)

    async def _look(self) -> None:
        await asyncio.sleep(max(0.0, self._looked_at + _LOOK_SECONDS - time.monotonic()))
        # A key may be made while this looks: whoever comes from now on waits for another look.
        self._coming_look, self._looked_at = None, time.monotonic()
        await self.renew()

    def close(self, plain: bytes, purpose: str) -> str:
        """`plain` sealed, as text that may stand in a URL and a password."""
        sealed = self.newest.to_bytes(_ID_BYTES, "big") + self._seals[self.newest].close(plain, purpose)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, sealed_text: str, purpose: str) -> bytes:
        """Raises SealBroken for whatever this ring has not sealed for `purpose`."""
        # The text has no padding: with some, two texts would say the same.
        if len(sealed_text) > _LONGEST_TEXT or not sealed_text.isascii() or "=" in sealed_text:
            raise SealBroken(f"this is not a {purpose}")
        try:
            sealed = base64.b64decode(sealed_text + "=" * (-len(sealed_text) % 4), altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise SealBroken(f"this is not a {purpose}") from error
        seal = self._seals.get(int.from_bytes(sealed[:_ID_BYTES], "big"))
        if seal is None:
            raise SealBroken(f"the key that sealed this {purpose} is not in the ring")
        return seal.open(sealed[_ID_BYTES:], purpose)

    def close_claims(self, claims: Sequence[Any], purpose: str) -> str:
        """The same of what JSON has, packed where it is long."""
        plain = orjson.dumps(claims)
        # The policies and tags of a session may be long; a password travels in a header, twice in base64.
        return self.close(zlib.compress(plain, 9) if len(plain) > _LONG_CLAIMS else plain, purpose)

    def open_claims(self, sealed_text: str, purpose: str) -> list[Any]:
        """Raises SealBroken."""
        plain = self.open(sealed_text, purpose)
        claims: list[Any] = orjson.loads(plain if plain.startswith(b"[") else zlib.decompress(plain))
        return claims

    def close_password(self, principal: Principal, now: float | None = None) -> tuple[str, int]:
        """A registry password for `principal` and the second at which it expires.

        ECR user guide, "Private registry authentication": 12 hours, or as long as the credentials hold.
        """
        expires_at = int(time.time() if now is None else now) + PASSWORD_SECONDS
        if principal.session is not None:
            expires_at = min(expires_at, principal.session.expires_at)
        return self.close_claims([*principal.claims(), expires_at], _PASSWORD_PURPOSE), expires_at

    def open_password(self, password: str, now: float | None = None) -> Password:
        """Raises SealBroken, PasswordExpired."""
        *claims, expires_at = self.open_claims(password, _PASSWORD_PURPOSE)
        if expires_at <= (time.time() if now is None else now):
            raise PasswordExpired
        return Password(Principal.of_claims(claims), expires_at)


async def load_keyring(database: Database, master: Seal) -> KeyRing:
    """The ring that all processes of this Berth share; its first key is made at need. Raises SealBroken."""

    async def load() -> dict[int, bytes]:
        return await _keys(database, master)

    return KeyRing(await load(), load)


async def _keys(database: Database, master: Seal) -> dict[int, bytes]:
    async with database.reading() as connection:
        rows = (await connection.execute(select(keyring.c.id, keyring.c.sealed_key))).all()
    if not rows:
        await _make_first_key(database, master)
        return await _keys(database, master)
    return {row.id: master.open(row.sealed_key, _KEY_PURPOSE) for row in rows}


async def _make_first_key(database: Database, master: Seal) -> None:
    async with database.transaction() as connection:
        await hold(connection)
        if (await connection.execute(select(keyring.c.id).limit(1))).one_or_none() is None:
            await make_key(connection, master)


async def hold(connection: AsyncConnection) -> None:
    """Nobody else makes a key until the transaction ends."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MAKING_LOCK})


async def make_key(connection: AsyncConnection, master: Seal) -> int:
    """A new key, the newest; returns its id."""
    new = insert(keyring).values(sealed_key=master.close(new_key(), _KEY_PURPOSE)).returning(keyring.c.id)
    made: int = (await connection.execute(new)).scalar_one()
    return made


def _key_id(sealed_text: str) -> int:
    """The id of the key that a text says it was sealed with; 0 where it says none."""
    try:
        return int.from_bytes(base64.b64decode(sealed_text[:8], altchars=b"-_", validate=True)[:_ID_BYTES], "big")
    except ValueError:
        return 0
