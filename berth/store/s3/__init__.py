"""A store in a bucket of Amazon S3, or of a server that speaks its protocol."""

from berth.store.s3.access import Access
from berth.store.s3.store import S3Store

__all__ = ["Access", "S3Store"]
