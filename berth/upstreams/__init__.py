"""Upstream registries and the rules by which a registry caches their images. Berth contacts no upstream."""
