"""A small OCI layout for clients that move manifests more than bytes: two platforms, 3 MiB that do not compress."""

from pathlib import Path

from . import layouts
from .seeded import MIB, write_seeded

SIZE = 3 * MIB


def small_layout(folder: Path) -> layouts.Layout:
    """Write the layout below `folder`; its index is tagged `both`."""
    context = folder / "small-context"
    context.mkdir()
    write_seeded(context / "busybox", seed=1, size=SIZE // 3)
    write_seeded(context / "layer.bin", seed=3, size=SIZE)
    return layouts.write_layout(folder / "layout", context)
