"""Guessing at keys and passwords, slowed by the address that it comes from.

Whoever sends too many wrong credentials waits for each further answer; and while several of an address wait, others of
that address are refused unseen, but for those who were right there before. Nobody at another address notices.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

# How long the answer to a wrong credential is held back, once there were too many.
DELAY_SECONDS = 1.0
# Answers of one address that are held back at a time; beyond, nobody is let try.
MOST_WAITING = 8
# Addresses that are remembered, and pairs of an address and who was right there.
REMEMBERED = 10_000
_MINUTE = 60.0


@dataclass(slots=True)
class _Guesser:
    """`full_at`: when it may be wrong as often again as if it never had been, in seconds of the loop's clock."""

    full_at: float = 0.0
    waiting: int = 0


class Guesses:
    """Of one process. `a_minute`: so many wrong credentials an address may send before it is slowed; 0: any number."""

    def __init__(self, a_minute: int) -> None:
        self._step = _MINUTE / a_minute if a_minute else 0.0
        self._guessers: OrderedDict[str, _Guesser] = OrderedDict()
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait(self, address: str, who: str | None = None) -> float:
        """0 where `who` at that address may try, else the seconds after which it may be so."""
        if not self._guessers:
            return 0
        network = _network(address)
        guesser = self._guessers.get(network)
        if guesser is None or guesser.waiting < MOST_WAITING or (who and (network, who) in self._right):
            return 0
        return DELAY_SECONDS

    def right(self, address: str, who: str) -> None:
        """`who` was right: it is not to suffer from others at its address."""
        pair = (_network(address), who)
        self._right[pair] = None
        self._right.move_to_end(pair)
        if len(self._right) > REMEMBERED:
            self._right.popitem(last=False)

    async def wrong(self, address: str) -> None:
        """Wait, where the address was wrong too often, before it is told so once more."""
        if not self._step:
            return
        network = _network(address)
        guesser = self._guessers.setdefault(network, _Guesser())
        self._guessers.move_to_end(network)
        if len(self._guessers) > REMEMBERED:
            self._guessers.popitem(last=False)
        now = time.monotonic()
        guesser.full_at = max(guesser.full_at, now) + self._step
        if guesser.full_at - now <= _MINUTE:
            return
        guesser.full_at = now + _MINUTE
        guesser.waiting += 1
        try:
            await asyncio.sleep(DELAY_SECONDS)
        finally:
            guesser.waiting -= 1


def _network(address: str) -> str:
    """The address; of IPv6 the /64 that it is in, for one host may have all of that."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Address(int(ip_address(address)) >> 64 << 64))
    except ValueError:
        return address
