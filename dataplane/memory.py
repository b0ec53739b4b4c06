"""What a data plane remembers of what it was asked for: manifests, referrers, which repository holds which layer, small
blobs.

All of it is bounded in bytes, and forgotten as soon as it changes (berth/changes/telling.py).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from berth import changes, layers
from berth.changes.cache import Cache
from berth.changes.ear import Ear
from berth.database.db import Database
from berth.identity.principals import Principal
from berth.images import pulls
from berth.images.pulls import StoredManifest
from berth.layers import Layer
from berth.names import Digest
from berth.registries import pull_time_exclusions
from berth.store.contract import Blob
from dataplane import blob_files
from dataplane.errors import BlobArchived, BlobUnknown, ManifestArchived, ManifestUnknown
from dataplane.host import Target
from listener import Prompt

MANIFEST_BYTES = 20 * 1024 * 1024
TAG_BYTES = 4 * 1024 * 1024
LAYER_BYTES = 4 * 1024 * 1024
CONTENT_BYTES = 16 * 1024 * 1024
REFERRER_BYTES = 8 * 1024 * 1024
EXCLUSION_BYTES = 1024 * 1024
# A blob of at most so many bytes is kept with its content.
SMALL = 64 * 1024
# What a finding takes beside the bytes that it holds.
FINDING_BYTES = 1024


@dataclass(slots=True)
class KnownManifest:
    """A manifest, and the answer to a GET of it."""

    stored: StoredManifest
    answer: Prompt
    # Until then, in seconds since 1970, another pull of it need not be noted.
    noted_until: float


@dataclass(frozen=True, slots=True)
class KnownLayer:
    layer: Layer
    blob: Blob
    # The answer to a HEAD.
    answer: Prompt


@dataclass(frozen=True, slots=True)
class KnownReferrers:
    """A page of the referrers of an image, which may be empty."""

    headers: Mapping[str, str]
    content: bytes
    # The answer to a GET.
    answer: Prompt


class Memory:
    def __init__(self, database: Database, ear: Ear) -> None:
        self._database = database
        self._manifests: Cache[KnownManifest] = Cache(ear, MANIFEST_BYTES)
        self._tags: Cache[str] = Cache(ear, TAG_BYTES)
        self._layers: Cache[KnownLayer] = Cache(ear, LAYER_BYTES)
        self._referrers: Cache[KnownReferrers] = Cache(ear, REFERRER_BYTES)
        self._contents: Cache[bytes] = Cache(ear, CONTENT_BYTES)
        self._uncounted: Cache[bool] = Cache(ear, EXCLUSION_BYTES)

    def recall_manifest(self, target: Target) -> KnownManifest | None:
        reference: str | None = target.reference
        if ":" not in target.reference:
            reference = self._tags.get((target.arn, target.reference))
        return None if reference is None else self._manifests.get((target.arn, reference))

    async def manifest(self, target: Target) -> KnownManifest:
        """Raises RepositoryNotFound, ManifestUnknown, ManifestArchived."""
        known = self.recall_manifest(target)
        if known is not None:
            return known
        reference, moment = target.tag_or_digest(), self._manifests.moment
        stored = await pulls.find(self._database, target.registry, target.name, reference)
        if stored is None:
            raise ManifestUnknown
        if stored.is_archived:
            raise ManifestArchived
        known = KnownManifest(stored, Prompt.of(manifest_headers(stored), stored.content), pulls.noted_until(stored))
        subject, size = changes.of_repository(stored.repository_id), len(stored.content) + FINDING_BYTES
        self._manifests.keep((target.arn, stored.digest), known, subject=subject, size=size, since=moment)
        if not isinstance(reference, Digest):
            self._tags.keep((target.arn, reference), stored.digest, subject=subject, size=len(reference), since=moment)
        return known

    def recall_layer(self, target: Target) -> KnownLayer | None:
        return self._layers.get((target.arn, target.reference))

    async def layer(self, target: Target) -> KnownLayer:
        """Raises RepositoryNotFound, BlobUnknown, BlobArchived, and OciError for what is no digest."""
        known = self.recall_layer(target)
        if known is not None:
            return known
        digest, moment = target.digest(), self._layers.moment
        found = await layers.find_all(self._database, target.registry, target.name, [digest])
        layer = (await layers.keep(self._database, found)).get(digest)
        if layer is None:
            raise BlobUnknown
        if layer.is_archived:
            raise BlobArchived
        known = KnownLayer(layer, Blob(target.registry, digest), Prompt.of(blob_files.headers(digest), b"", layer.size))
        # One that no image needs yet is looked for each time: whoever counts on it keeps it so.
        if layer.has_image:
            subject = changes.of_repository(layer.repository_id)
            self._layers.keep((target.arn, digest), known, subject=subject, size=FINDING_BYTES, since=moment)
        return known

    @property
    def moment(self) -> int:
        """To be noted before that is asked for which is to be kept."""
        return self._referrers.moment

    def recall_referrers(self, target: Target) -> KnownReferrers | None:
        return self._referrers.get(_page_of(target))

    def keep_referrers(self, target: Target, repository_id: int, page: KnownReferrers, since: int) -> None:
        """`since`: the moment before the page was asked for."""
        subjects = (
            changes.of_repository(repository_id),
            changes.of_referrers(repository_id, target.reference),
        )
        size = len(page.content) + len(page.answer.head) + len(target.path) + len(target.query) + FINDING_BYTES
        self._referrers.keep(_page_of(target), page, subject=subjects, size=size, since=since)

    def recall_content(self, blob: Blob) -> bytes | None:
        return self._contents.get(blob)

    def keep_content(self, blob: Blob, content: bytes) -> None:
        """What a digest stands for never changes; whether it may be had is asked anew each time."""
        moment = self._contents.moment
        self._contents.keep(blob, content, subject=changes.NEVER, size=len(content) + FINDING_BYTES, since=moment)

    def need_not_note(self, known: KnownManifest, target: Target, principal: Principal) -> bool:
        """Whether a pull by the principal changes nothing that is noted."""
        if time.time() < known.noted_until:
            return True
        return self._uncounted.get((target.registry, principal.arn)) is not None

    async def note_pull(self, known: KnownManifest, target: Target, principal: Principal) -> None:
        """Note that the principal pulled the image, where it is time and the pull counts."""
        if self.need_not_note(known, target, principal):
            return
        moment = self._uncounted.moment
        if await pulls.record(self._database, principal, [known.stored]):
            known.noted_until = time.time() + pulls.PULL_TIME_GRAIN.total_seconds()
        elif await pull_time_exclusions.is_excluded(self._database, target.registry, principal):
            key, subject = (target.registry, principal.arn), changes.of_exclusions(target.registry)
            self._uncounted.keep(key, True, subject=subject, size=len(principal.arn), since=moment)


def _page_of(target: Target) -> tuple[str, str, str, str]:
    # With the path: it is in the address of the next page, and one repository has several, by hosts and by paths.
    return target.arn, target.path, target.reference, target.query


def manifest_headers(manifest: StoredManifest) -> dict[str, str]:
    return {
        "Content-Type": manifest.media_type,
        "Docker-Content-Digest": manifest.digest,
        "ETag": f'"{manifest.digest}"',
    }
