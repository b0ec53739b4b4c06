"""The settings: their forms, what they may be, where they come from, and what is wrong with them."""

from berth.settings.faults import SettingsInvalid
from berth.settings.loading import load
from berth.settings.settings import Settings

__all__ = ["Settings", "SettingsInvalid", "load"]
