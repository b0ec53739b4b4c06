"""Who runs PostgreSQL: never root, in whose place a user id steps that nobody else has.

No account is made for it, and no folder opened up.
"""

import itertools
import os
import pwd
import signal
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
# systemd's "Users, Groups, UIDs and GIDs" leaves 60578 to 61183 unused.
UNUSED_UIDS = range(60700, 60800)
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
OTHERS_ENTER = stat.S_IXOTH
OTHERS_READ = stat.S_IROTH


class AccountMissing(Exception):
    """There is nobody whom PostgreSQL could run as; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """`uid` -1 is whoever runs Berth; `capability` -1 is none (otherwise a number of capabilities(7))."""

    uid: int = -1
    capability: int = -1

    def leash(self, *command: str | Path, end: signal.Signals = signal.SIGKILL) -> list[str]:
        """`command`, run as this account and ended by the signal `end` when this process is no more."""
        return leash(*command, end=end, uid=self.uid, capability=self.capability)

    def own(self, folder: Path) -> None:
        """Make all in `folder`, and itself, this account's."""
        if self.uid >= 0:
            for path in itertools.chain([folder], folder.rglob("*")):
                os.chown(path, self.uid, self.uid, follow_symlinks=False)


def leash(*command: str | Path, end: signal.Signals = signal.SIGKILL, uid: int = -1, capability: int = -1) -> list[str]:
    options = (os.getpid(), int(end), uid, capability)
    return [sys.executable, "-I", "-S", str(LEASH), *map(str, options), *map(str, command)]


def for_server(cluster: Path, binaries: Path) -> Account:
    """Who runs the server on the files in `cluster`; they stay whose they are. Raises AccountMissing."""
    if os.geteuid() != 0:
        return Account()
    owner = cluster.stat().st_uid if cluster.exists() else 0
    uid = owner or next(uid for uid in UNUSED_UIDS if not _has_account(uid))
    return Account(uid, _needed_capability(uid, cluster, binaries))


def for_setup(cluster: Path, binaries: Path) -> Account:
    """Who makes the files of a new cluster: initdb insists on a user with a name. Raises AccountMissing."""
    if os.geteuid() != 0:
        if not _has_account(os.geteuid()):
            raise AccountMissing(
                f"the embedded PostgreSQL cannot be set up by user id {os.geteuid()}, which has no entry in "
                "/etc/passwd: add one, or name a PostgreSQL by BERTH_DATABASE_URL"
            )
        return Account()
    named = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0}
    if not named:
        raise AccountMissing("the embedded PostgreSQL cannot be set up where /etc/passwd has no user but root")
    uid = named.get("nobody", next(iter(named.values())))
    return Account(uid, _needed_capability(uid, cluster, binaries))


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _needed_capability(uid: int, *places: Path) -> int:
    """What lets `uid` reach the places where a folder on the way is root's alone (-1: nothing is needed).

    The other way, to open these folders (/root, say) to everybody, is no way.
    """
    if all(_may_enter(uid, folder) for place in places for folder in place.parents) and _may_read(places[-1]):
        return -1
    wanted = [CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE] if _may_read(places[-1]) else [CAP_DAC_OVERRIDE]
    for capability in wanted:
        if _permitted_capabilities() >> capability & 1:
            return capability
    raise AccountMissing(
        f"the embedded PostgreSQL does not run as root, and no one else may enter {places[0].parent} "
        f"or {places[-1]}: use folders that others may enter (chmod o+x), or name a PostgreSQL by BERTH_DATABASE_URL"
    )


def _may_enter(uid: int, folder: Path) -> bool:
    status = folder.stat()
    return bool(status.st_mode & OTHERS_ENTER) or status.st_uid == uid


def _may_read(binaries: Path) -> bool:
    mode = (binaries / "postgres").stat().st_mode & binaries.stat().st_mode
    return mode & (OTHERS_READ | OTHERS_ENTER) == OTHERS_READ | OTHERS_ENTER


def _permitted_capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0
