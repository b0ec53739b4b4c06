"""Manifests: get, put, delete. OCI Distribution 1.1, "Pulling manifests", "Pushing Manifests", "Deleting Manifests"."""

import asyncio
from collections.abc import Sequence
from functools import partial

from aiohttp import web

from berth import images, repositories
from berth.errors import RepositoryNotFound, listed
from berth.images.manifests import MAX_BYTES, Manifest, parse
from berth.names import Digest, NameInvalid, Tag
from dataplane import bodies, creation
from dataplane.call import Call
from dataplane.errors import ManifestUnknown, OciError
from dataplane.memory import manifest_headers

# Reading a manifest of so many bytes takes longer than others should wait.
LARGE = 256 * 1024
# OCI Distribution 1.1+dev, "Pushing Manifests", has registries that know the parameter `tag` take 10 or more.
MOST_TAGS = 100


async def head(call: Call) -> web.StreamResponse:
    manifest = (await call.memory.manifest(call.target)).stored
    # aiohttp sends no body in answer to HEAD, and keeps this length.
    return web.Response(headers=manifest_headers(manifest) | {"Content-Length": str(len(manifest.content))})


async def get(call: Call) -> web.StreamResponse:
    known = await call.memory.manifest(call.target)
    await call.memory.note_pull(known, call.target, call.principal)
    return web.Response(body=known.stored.content, headers=manifest_headers(known.stored))


async def put(call: Call) -> web.StreamResponse:
    content = await _body(call.request)
    reference = _new_reference(call.target.reference)
    algorithm = reference.algorithm if isinstance(reference, Digest) else "sha256"
    parsing = partial(parse, content, _media_type(call.request), algorithm=algorithm)
    manifest = parsing() if len(content) < LARGE else await asyncio.to_thread(parsing)
    if isinstance(reference, Digest) and manifest.digest != reference:
        raise OciError(400, "DIGEST_INVALID", f"the manifest has the digest '{manifest.digest}', not '{reference}'")
    asked_tags = _tags(call.request) if isinstance(reference, Digest) else []
    await _put(call, manifest, asked_tags if isinstance(reference, Digest) else [reference])
    headers = {
        "Location": f"{call.target.path}/manifests/{manifest.digest}",
        "Docker-Content-Digest": manifest.digest,
    }
    if manifest.subject is not None:
        headers["OCI-Subject"] = manifest.subject.digest
    if asked_tags:
        headers["OCI-Tag"] = ", ".join(asked_tags)
    return web.Response(status=201, headers=headers)


async def delete(call: Call) -> web.StreamResponse:
    reference = call.target.tag_or_digest()
    repository = await repositories.get(call.database, call.registry, call.name)
    if isinstance(reference, Digest):
        deletion = await images.remove(call.database, repository, reference)
    else:
        deletion = await images.untag(call.database, repository, reference, keep_image=True)
    if deletion is None:
        raise ManifestUnknown
    if deletion.needed_by:
        message = f"Requested image referenced by manifest list: {listed(deletion.needed_by)}"
        raise OciError(409, "DENIED", message)
    return web.Response(status=202)


async def _put(call: Call, manifest: Manifest, new_tags: Sequence[Tag]) -> None:
    try:
        await images.put(call.database, call.registry, call.name, manifest, new_tags)
    except RepositoryNotFound as missing:
        await creation.create(call, missing)
        await images.put(call.database, call.registry, call.name, manifest, new_tags)


def _new_reference(text: str) -> Tag | Digest:
    try:
        return Digest.parse(text) if ":" in text else Tag.parse(text)
    except NameInvalid:
        code = "DIGEST_INVALID" if ":" in text else "TAG_INVALID"
        message = f"'{text[:160]}' is neither a digest nor a tag (1 to 128 of A-Z, a-z, 0-9, _ . -, not first . or -)"
        raise OciError(400, code, message) from None


def _tags(request: web.Request) -> list[Tag]:
    """The tags that a push by digest is to put on the image: all of them, or the push fails."""
    texts = list(dict.fromkeys(request.query.getall("tag", [])))
    if len(texts) > MOST_TAGS:
        raise OciError(414, "TAG_INVALID", f"one push puts at most {MOST_TAGS} tags on an image, not {len(texts)}")
    try:
        return [Tag.parse(text) for text in texts]
    except NameInvalid as error:
        raise OciError(400, "TAG_INVALID", f"the query parameter 'tag': {error}") from None


def _media_type(request: web.Request) -> str | None:
    header = request.headers.get("Content-Type")
    return None if header is None else header.partition(";")[0].strip()


async def _body(request: web.Request) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        message = f"the Content-Encoding is '{encoding[:40]}': a manifest is sent as the bytes that have its digest"
        raise OciError(415, "MANIFEST_INVALID", message)
    body = bytearray()
    if request.content_length is not None and request.content_length > MAX_BYTES:
        raise _too_large()
    async for chunk in bodies.chunks(request):
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> OciError:
    return OciError(413, "MANIFEST_INVALID", f"a manifest has at most {MAX_BYTES} bytes")
