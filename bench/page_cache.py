"""The page cache before a round of pushes: nothing waits to be written, and the memory that it needs is at hand."""

import os
import tempfile

from bench.samples import MIB


def make_ready(size: int) -> None:
    """Write out what earlier rounds left, and fetch the memory for `size` bytes, at nobody's expense.

    A virtual machine gives memory that it does not use back to its host. To get it again costs the kernel 1 to 2 s of
    CPU for a GiB, which falls on whoever happens to write next: ten times what writing to memory at hand costs. So the
    bench writes as much, and frees it.
    """
    os.sync()
    block = bytes(MIB)
    with tempfile.TemporaryFile() as file:
        for _ in range(size // MIB + 1):
            file.write(block)
