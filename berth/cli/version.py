"""`berth version`."""

from importlib.metadata import version

VERSION = version("berth")
