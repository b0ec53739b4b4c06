"""A registry client of the fewest words: it streams, never tries again, and reports a failure as it came."""

import base64
import contextlib
import hashlib
import http.client
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from .seeded import MIB, seeded_bytes

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class Refused(Exception):
    """The registry answered something else than it should have."""


@dataclass(frozen=True)
class PlainClient:
    """The registry at `host`, asked with the password that the API gave."""

    host: str
    authorization: str = field(repr=False)

    @classmethod
    def logged_in(cls, ecr: Any, host: str) -> Self:
        """Log in as `aws ecr get-login-password` does."""
        (granted,) = ecr.get_authorization_token()["authorizationData"]
        assert base64.b64decode(granted["authorizationToken"]).startswith(b"AWS:")
        return cls(host, f"Basic {granted['authorizationToken']}")

    def push_blob(self, repository: str, chunks: Iterable[bytes], *, in_pieces_of: int | None = None) -> str:
        """Push a blob in one stream, or in one PATCH for each `in_pieces_of` chunks; answer its digest."""
        hashed = hashlib.sha256()

        def hashing(some: Iterable[bytes]) -> Iterator[bytes]:
            for chunk in some:
                hashed.update(chunk)
                yield chunk

        location = self._ask("POST", f"/v2/{repository}/blobs/uploads/", 202)["location"]
        for piece in _pieces(chunks, in_pieces_of):
            location = self._ask("PATCH", location, 202, body=hashing(piece))["location"]
        digest = f"sha256:{hashed.hexdigest()}"
        self._ask("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", 201)
        return digest

    def push_blob_at_once(self, repository: str, digest: str, content: bytes) -> None:
        """Push a blob in one request."""
        self._ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", 201, body=[content])

    def mount(self, repository: str, digest: str, source: str) -> bool:
        """Whether the repository has the blob now, from the other one; else an upload has begun."""
        path = f"/v2/{repository}/blobs/uploads/?mount={digest}&from={source}"
        with self._answer("POST", path, (201, 202)) as answer:
            answer.read()
            return answer.status == 201

    def delete_manifest(self, repository: str, digest: str) -> None:
        self._ask("DELETE", f"/v2/{repository}/manifests/{digest}", 202)

    def push_manifest(self, repository: str, reference: str, manifest: bytes) -> str:
        """Push a manifest; once this returns its digest, the push is acknowledged."""
        headers = {"content-type": MANIFEST}
        path = f"/v2/{repository}/manifests/{reference}"
        return self._ask("PUT", path, 201, body=[manifest], headers=headers)["docker-content-digest"]

    def manifest(self, repository: str, reference: str) -> bytes:
        """Pull a manifest."""
        path = f"/v2/{repository}/manifests/{reference}"
        with self._answer("GET", path, 200, headers={"accept": MANIFEST}) as answer:
            return answer.read()

    def pulled_digest(self, repository: str, digest: str) -> str:
        """Pull a blob and answer the digest of what came."""
        hashed = hashlib.sha256()
        with self._answer("GET", f"/v2/{repository}/blobs/{digest}", 200) as answer:
            while chunk := answer.read(MIB):
                hashed.update(chunk)
        return f"sha256:{hashed.hexdigest()}"

    def _ask(self, method: str, path: str, status: int, **request: Any) -> dict[str, str]:
        with self._answer(method, path, status, **request) as answer:
            answer.read()
            return {name.lower(): value for name, value in answer.getheaders()}

    @contextlib.contextmanager
    def _answer(
        self,
        method: str,
        location: str,
        status: int | tuple[int, ...],
        body: Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        parts = urlsplit(location)
        connection = http.client.HTTPConnection(parts.netloc or self.host, timeout=60)
        try:
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            all_headers = {"authorization": self.authorization} | (headers or {})
            connection.request(method, path, body=body, headers=all_headers, encode_chunked=body is not None)
            answer = connection.getresponse()
            if answer.status not in (status if isinstance(status, tuple) else (status,)):
                raise Refused(f"{method} {path}: {answer.status} {answer.read(2000)!r}")
            yield answer
        finally:
            connection.close()


@dataclass(frozen=True)
class SeededImage:
    """An image of three layers that follow from its seed; one is streamed, one comes in pieces, one is tiny."""

    tag: str
    seed: int
    sizes: tuple[int, ...] = (2 * MIB, 3 * MIB, 1)

    def push(self, client: PlainClient, repository: str) -> str:
        """Push the layers, the config, and last the manifest; answer its digest, the acknowledgement."""
        layers = []
        for number, size in enumerate(self.sizes):
            content = seeded_bytes(self.seed * 10 + number, size, chunk=MIB // 4)
            digest = client.push_blob(repository, content, in_pieces_of=4 if number == 1 else None)
            layers.append({"mediaType": LAYER, "digest": digest, "size": size})
        config = json.dumps({"architecture": "amd64", "os": "linux", "seed": self.seed}).encode()
        described = {"mediaType": CONFIG, "digest": client.push_blob(repository, [config]), "size": len(config)}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": layers}
        return client.push_manifest(repository, self.tag, json.dumps(manifest).encode())


def assert_whole(client: PlainClient, repository: str, tag: str, digest: str) -> None:
    """Pull an image and every blob that it names, and hash what comes."""
    text = client.manifest(repository, tag)
    assert f"sha256:{hashlib.sha256(text).hexdigest()}" == digest
    manifest = json.loads(text)
    for blob in (manifest["config"], *manifest["layers"]):
        assert client.pulled_digest(repository, blob["digest"]) == blob["digest"]


def _pieces(chunks: Iterable[bytes], size: int | None) -> Iterator[Iterable[bytes]]:
    if size is None:
        yield chunks
        return
    gathered: list[bytes] = []
    for chunk in chunks:
        gathered.append(chunk)
        if len(gathered) == size:
            yield gathered
            gathered = []
    if gathered:
        yield gathered
