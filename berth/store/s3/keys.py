"""How blobs are called in a bucket: as on a file system, so that any tool may copy one to the other.

blobs/ACCOUNT/REGION/ALGORITHM/ab/abcdef…
"""

from berth.names import Digest, NameInvalid, Registry
from berth.store.contract import Blob

BLOBS = "blobs/"


def key_of(blob: Blob) -> str:
    registry, digest = blob.registry, blob.digest
    return f"{BLOBS}{registry.account}/{registry.region}/{digest.algorithm}/{digest.encoded[:2]}/{digest.encoded}"


def blob_of(key: str) -> Blob | None:
    """None where the object is none of ours."""
    try:
        account, region, algorithm, start, encoded = key.removeprefix(BLOBS).split("/")
        blob = Blob(Registry.parse(account, region), Digest.parse(f"{algorithm}:{encoded}"))
    except (ValueError, NameInvalid):
        return None
    return blob if encoded.startswith(start) and len(start) == 2 else None
