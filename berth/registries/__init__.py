"""Registries: what belongs to each as a whole; its templates, upstreams and the like have rooms of their own."""

from berth.registries.policy import get_policy, remove_policy, set_policy
from berth.registries.rows import hold, put, row_of

__all__ = ["get_policy", "hold", "put", "remove_policy", "row_of", "set_policy"]
