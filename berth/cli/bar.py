"""How far a long work is: a bar on a terminal, a line now and then elsewhere; on standard error."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import click

LINE_SECONDS = 10.0
GIB = 1 << 30


@contextlib.contextmanager
def showing_bytes(label: str, expected: int) -> Iterator[Callable[[int], None]]:
    """Call what this yields with the number of bytes each time that some are done, of `expected`."""
    if sys.stderr.isatty():
        with click.progressbar(length=max(expected, 1), label=label, file=sys.stderr, width=0) as bar:
            yield bar.update
        return
    done, told_at = 0, time.monotonic()

    def update(more: int) -> None:
        nonlocal done, told_at
        done += more
        if time.monotonic() - told_at > LINE_SECONDS:
            told_at = time.monotonic()
            click.echo(f"{label}: {done / GIB:.2f} of about {expected / GIB:.2f} GiB", err=True)

    yield update
