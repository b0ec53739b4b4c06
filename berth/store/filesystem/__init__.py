"""A store in a folder.

    blobs/ACCOUNT/REGION/ALGORITHM/ab/abcdef…    a blob, complete and durable as soon as the name exists
    uploads/UUID                                  an upload; its first bytes, as many as its row says, count
    locks/ab                                      empty: locked by whoever gives a blob its name or takes it away

A blob gets its name by rename, after fsync of its bytes; then the folder is synced, so that it outlives a crash.
"""

from berth.store.filesystem.store import FilesystemStore

__all__ = ["FilesystemStore"]
