"""Images: put, tag, find, list, describe, pull, archive, delete."""

from berth.images.putting import Deletion, Put, put, remove, untag

__all__ = ["Deletion", "Put", "put", "remove", "untag"]
