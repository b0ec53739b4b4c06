"""Berth beside its peers: what a request and a GiB cost, measured in one run (`make bench`; docs/benchmarks.md)."""
