"""Operations that anybody may call without signing, for what the request says proves them: `@for_anybody(…)`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from berth.database.db import Database
from berth.identity.credentials.key_uses import KeyUses
from berth.identity.policies.context import Circumstances
from berth.identity.sts.provider_keys import ProviderKeys
from berth.opening import Opened
from controlplane.wire.model import Members, Operation


@dataclass(frozen=True, slots=True)
class StrangersCall:
    """One call of nobody who is known."""

    opened: Opened
    keys: ProviderKeys
    circumstances: Circumstances
    uses: KeyUses

    @property
    def database(self) -> Database:
        return self.opened.database


Run = Callable[[StrangersCall, Members], Awaitable[Members]]

_BUILT: dict[str, Run] = {}


def for_anybody(name: str) -> Callable[[Run], Run]:
    """Mark the function that does the operation `name` of STS."""

    def mark(run: Run) -> Run:
        _BUILT[name] = run
        return run

    return mark


def run_for_anybody(operation: Operation) -> Run | None:
    """The function that does the operation; None where who calls it has to sign."""
    return _BUILT.get(operation.name) if operation.service == "sts" else None
