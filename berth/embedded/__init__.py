"""Berth's own PostgreSQL, for whoever names no other: files in the data folder, and a server that `berth up` runs."""

from berth.embedded.account import AccountMissing, leash
from berth.embedded.cluster import Cluster, ClusterBroken
from berth.embedded.leftover import stop_leftover

__all__ = ["AccountMissing", "Cluster", "ClusterBroken", "leash", "stop_leftover"]
