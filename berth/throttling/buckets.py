"""Token buckets: what is left of an account's rate.

A bucket holds ten seconds' worth of its rate, the proportion that ECR's documentation tells of one of them (ECR user
guide, "Troubleshooting Amazon ECR error messages": 20 a second, and a burst of 200). It is one number: when it will be
full again. A token is there if that is at most ten seconds ahead.
"""

import time
from collections.abc import Callable, Mapping

from berth.throttling.cells import Cells, tag_of

BURST_SECONDS = 10
SECOND = 10**9
BURST_NS = BURST_SECONDS * SECOND
# Buckets that one process knows its way to.
REMEMBERED = 4096
# Other machines are told of a bucket from which one process takes such a part of its rate: up to eight may keep quiet.
TOLD_PART = 8


class Bucket:
    """`untold`: the tokens that were taken here and that other machines have not been told of."""

    __slots__ = ("_busy", "_cells", "_is_busy", "_place", "_since", "_tag", "_worth", "name", "rate", "step", "untold")

    def __init__(self, name: str, rate: float, cells: Cells, busy: Callable[["Bucket"], None]) -> None:
        """`busy` is called with a bucket that other machines are to be told of."""
        self.name = name
        self.rate = rate
        # One token's worth of time.
        self.step = int(SECOND / rate) or 1
        self.untold = 0
        self._worth = max(2, int(rate / TOLD_PART))
        self._busy = busy
        self._since = 0
        # Waits to be told.
        self._is_busy = False
        self._tag = tag_of(name)
        self._cells = cells
        self._place = cells.find(self._tag)

    def take(self) -> int:
        """0 where there was a token, which now is taken; else the nanoseconds until there is one."""
        now = time.monotonic_ns()
        numbers, place = self._cells.numbers, self._place
        if numbers[place] != self._tag:
            place = self._place = self._cells.find(self._tag)
        full = numbers[place + 1]
        full = (full if full > now else now) + self.step
        missing = full - now - BURST_NS
        if missing > 0:
            return missing
        numbers[place + 1] = full
        if now - self._since > SECOND and not self._is_busy:
            # So little that it does not matter to others.
            self._since, self.untold = now, 0
        self.untold += 1
        if self.untold >= self._worth and not self._is_busy:
            self._is_busy = True
            self._busy(self)
        return 0

    def tell(self) -> float:
        """The seconds of its rate that were taken here since it was told last."""
        taken, self.untold, self._is_busy = self.untold, 0, False
        self._since = time.monotonic_ns()
        return taken * self.step / SECOND

    def hear(self, ahead: float) -> None:
        """On all machines together it will be full in `ahead` seconds, and not before."""
        full = time.monotonic_ns() + int(ahead * SECOND)
        if self._cells.numbers[self._place] == self._tag and self._cells.numbers[self._place + 1] < full:
            self._cells.numbers[self._place + 1] = full


class Throttle:
    """Who may ask how much, by `rates` (requests a second, by action); what is not among them is free."""

    def __init__(self, rates: Mapping[str, float], cells: Cells) -> None:
        self._rates = rates
        self._cells = cells
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        # To be told to other machines, by name.
        self.busy: dict[str, Bucket] = {}
        self.on_busy: Callable[[], None] | None = None

    @property
    def is_on(self) -> bool:
        return bool(self._rates)

    def wait(self, account: str, region: str, action: str | None) -> float:
        """0 where the account may do so now, which then counts; else the seconds until it may."""
        bucket = self._buckets.get((account, region, action or ""))
        if bucket is None:
            rate = self._rates.get(action or "")
            if rate is None:
                return 0
            if len(self._buckets) >= REMEMBERED:
                self._buckets.clear()
            bucket = Bucket(f"{account}/{region}/{action}", rate, self._cells, self._note)
            self._buckets[account, region, action or ""] = bucket
        missing = bucket.take()
        return missing / SECOND if missing else 0

    def close(self) -> None:
        self._cells.close()

    def _note(self, bucket: Bucket) -> None:
        self.busy[bucket.name] = bucket
        if self.on_busy is not None:
            self.on_busy()
