"""Referrers of an image: signatures, SBOMs, attestations. OCI Distribution 1.1, "Listing Referrers"."""

from typing import Any

import orjson
from aiohttp import web

from berth.images import referrers
from berth.images.manifests import OCI_INDEX
from berth.images.referrers import Referrer
from dataplane import host
from dataplane.call import Call
from dataplane.memory import KnownReferrers
from dataplane.tags import PAGE, next_page, page_size
from listener import Prompt


async def get(call: Call) -> web.StreamResponse:
    known = call.memory.recall_referrers(call.target) or await _find(call)
    return web.Response(body=known.content, headers=known.headers)


async def _find(call: Call) -> KnownReferrers:
    subject = call.target.digest()
    limit = page_size(call.request) or PAGE
    last = call.request.query.get("last")
    artifact_type = call.request.query.get("artifactType")
    moment = call.memory.moment
    found = await referrers.page(
        call.database,
        call.registry,
        call.name,
        subject,
        artifact_types=() if artifact_type is None else (artifact_type.replace("\x00", ""),),
        after=host.parse_digest(last) if last else "",
        limit=limit,
    )
    headers = {"Content-Type": OCI_INDEX}
    query = {"n": str(limit)}
    if artifact_type is not None:
        headers["OCI-Filters-Applied"] = "artifactType"
        query["artifactType"] = artifact_type
    if found.goes_on:
        query["last"] = found.referrers[-1].digest
        headers["Link"] = next_page(f"{call.target.path}/referrers/{subject}", **query)
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [_descriptor(referrer) for referrer in found.referrers],
    }
    content = orjson.dumps(index)
    known = KnownReferrers(headers, content, Prompt.of(headers, content))
    call.memory.keep_referrers(call.target, found.repository_id, known, moment)
    return known


def _descriptor(referrer: Referrer) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "mediaType": referrer.media_type,
        "digest": referrer.digest,
        "size": referrer.size,
    }
    if referrer.artifact_type:
        descriptor["artifactType"] = referrer.artifact_type
    if referrer.annotations:
        descriptor["annotations"] = referrer.annotations
    return descriptor
