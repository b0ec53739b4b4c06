"""What `berth up` shows while it starts: a line for each step, its outcome, and the time it took."""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import click


@dataclass
class Step:
    outcome: str = "done"


@contextlib.contextmanager
def step(name: str) -> Iterator[Step]:
    """Show that `name` is at work, and then how it came out."""
    started = time.monotonic()
    is_live = sys.stdout.isatty()
    if is_live:
        click.echo(f"  … {name}", nl=False)
    this = Step()
    mark = "✗"
    try:
        yield this
        mark = "✓"
    except BaseException:
        this.outcome = "stopped here"
        raise
    finally:
        start_of_line = "\r\033[K" if is_live else ""
        click.echo(f"{start_of_line}  {mark} {name}: {this.outcome} ({time.monotonic() - started:.1f} s)")
