"""Which repository holds which layer. (A config is a layer too: in the ECR API everything but a manifest is one.)"""

from berth.layers.held import ARCHIVED, DEFAULT_MEDIA_TYPE, Layer, find, find_all
from berth.layers.holders import holders
from berth.layers.keeping import keep
from berth.layers.links import intend, linking, mount, unlink

__all__ = [
    "ARCHIVED",
    "DEFAULT_MEDIA_TYPE",
    "Layer",
    "find",
    "find_all",
    "holders",
    "intend",
    "keep",
    "linking",
    "mount",
    "unlink",
]
