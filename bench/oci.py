"""Pushes and pulls, as OCI Distribution 1.1 has them, by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench import wire
from bench.samples import MANIFEST_TYPE, REPOSITORY, TAG, Image, LargeLayer, digest_of
from bench.wire import Address, AnswerBroken, Connection, Incoming

# What one read takes from the kernel at most.
BUFFER_BYTES = 1024 * 1024
OCTETS = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class Registry:
    """Where a registry is, and what lets one in."""

    address: Address
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        length: int | None = None,
    ) -> bytes:
        return wire.request(method, path, self.address, {**self.headers, **(headers or {})}, body, length)

    def get_manifest(self, reference: str, method: str = "GET") -> bytes:
        return self.request(method, manifest_path(reference), {"Accept": MANIFEST_TYPE})

    def get_blob(self, digest: str) -> bytes:
        return self.request("GET", blob_path(digest))

    def hold(self, image: Image, layer: LargeLayer) -> None:
        """Push both, so that they can be pulled. Raises AnswerBroken."""
        with Connection(self.address) as connection:
            push_image(connection, self, image, TAG)
            push_layer(connection, self, layer)


def manifest_path(reference: str) -> str:
    return f"/v2/{REPOSITORY}/manifests/{reference}"


def blob_path(digest: str) -> str:
    return f"/v2/{REPOSITORY}/blobs/{digest}"


def push_blob(connection: Connection, registry: Registry, parts: tuple[memoryview, ...], digest: str) -> None:
    """POST, PATCH with all the bytes, PUT: what docker does. Raises AnswerBroken."""
    size = sum(len(part) for part in parts)
    begun = connection.ask(registry.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/"))
    place = _place(begun, 202)
    sent = connection.ask(registry.request("PATCH", place, OCTETS, length=size), parts)
    place = _place(sent, 202)
    joint = "&" if "?" in place else "?"
    _place(connection.ask(registry.request("PUT", f"{place}{joint}digest={digest}", OCTETS)), 201)


def push_image(connection: Connection, registry: Registry, image: Image, tag: str) -> None:
    """Its blobs, then its manifest. Raises AnswerBroken."""
    for blob in image.blobs:
        push_blob(connection, registry, (memoryview(blob),), digest_of(blob))
    put = registry.request("PUT", manifest_path(tag), {"Content-Type": MANIFEST_TYPE}, image.manifest)
    _place(connection.ask(put), 201)


def push_layer(connection: Connection, registry: Registry, layer: LargeLayer) -> None:
    push_blob(connection, registry, layer.parts, layer.digest)


def pull(connection: Connection, request: bytes) -> int:
    """GET a blob into a buffer that forgets it; how many bytes it had. Raises AnswerBroken."""
    connection.socket.sendall(request)
    incoming = Incoming()
    while not incoming.status:
        whole = incoming.feed(connection.socket.recv(wire.RECEIVE_BYTES))
        if whole:
            break
    if incoming.status != 200 or incoming.size is None:
        raise AnswerBroken(f"status {incoming.status}, or a length that is not told, for a blob")
    left = incoming.size - incoming.body_bytes
    buffer = bytearray(BUFFER_BYTES)
    while left:
        got = connection.socket.recv_into(buffer, min(left, BUFFER_BYTES))
        if not got:
            raise AnswerBroken("the server closed the connection amid a blob")
        left -= got
    return incoming.size


def _place(answer: wire.Answer, status: int) -> str:
    """The path that `Location` names. Raises AnswerBroken for another status."""
    location = answer.header("Location")
    if answer.status != status or location is None:
        raise AnswerBroken(f"status {answer.status} instead of {status}: {answer.body[:200]!r}")
    if location.startswith("http"):
        location = "/" + location.split("/", 3)[3]
    return location
