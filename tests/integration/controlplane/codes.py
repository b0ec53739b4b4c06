"""The codes that a device app shows, by its seed as CreateVirtualMFADevice answers it."""

import asyncio
import base64
import time

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP


def code(seed: bytes, steps: int = 0) -> str:
    """That of now, or of so many times 30 seconds later; `seed` is in base32."""
    return TOTP(base64.b32decode(seed), 6, SHA1(), 30).generate(int(time.time()) + 30 * steps).decode()


def wrong(seed: bytes) -> str:
    """A code that the device shows at no time near now."""
    near = {code(seed, steps) for steps in range(-30, 31)}
    return next(text for text in (f"{number:06}" for number in range(1000)) if text not in near)


def two_in_a_row(seed: bytes, steps: int = -2) -> dict[str, str]:
    """The codes that begin so many steps from now, as EnableMFADevice takes them; -2 leaves those of now to be used."""
    return {"AuthenticationCode1": code(seed, steps), "AuthenticationCode2": code(seed, steps + 1)}


async def early_in_a_step() -> None:
    """Wait until a code of now will stay one for some seconds."""
    if time.time() % 30 > 26:
        await asyncio.sleep(30 - time.time() % 30)
