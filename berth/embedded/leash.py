"""Becomes another program that ends when its parent does, and that may run as someone else.

A script of its own, run by `python -I -S`: what it does must happen between fork and exec, where a program with threads
may do nothing, and the end of a parent that was killed can be heard of in no other way (prctl(2), PR_SET_PDEATHSIG).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS = 1, 8, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def call(function: str, *arguments: object) -> None:
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def become(uid: int, capability: int) -> None:
    """Give up root for `uid`, and every privilege but `capability` (capabilities(7); -1: keep none)."""
    if capability >= 0:
        call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.umask(0o077)
    if capability >= 0:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        bit = 1 << capability
        call("capset", header, (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0))
        call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
    if sys.platform == "linux":
        call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main() -> None:
    """Arguments: parent's process id, the signal at its end, user id (-1: stay), capability to keep, command…"""
    parent, signal, uid, capability = map(int, sys.argv[1:5])
    try:
        if uid >= 0:
            become(uid, capability)
        # Last, for a change of user takes it away. (Elsewhere than on Linux, the next start finds what was left over.)
        if sys.platform == "linux":
            call("prctl", PR_SET_PDEATHSIG, signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(f"the process {parent} that started this has ended")
        os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606
    except OSError as error:
        sys.exit(f"cannot start {sys.argv[5]}: {error}")


if __name__ == "__main__":
    main()
