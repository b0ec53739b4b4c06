"""The repositories of a registry, paged. Docker Registry HTTP API V2, "Catalog", which ECR answers too."""

from aiohttp import web

from berth import repositories
from dataplane.call import Call
from dataplane.tags import next_page, page_size, searchable


async def get(call: Call) -> web.StreamResponse:
    """Whoever may describe the repositories of the registry sees all of them, as by DescribeRepositories."""
    limit = page_size(call.request)
    after = searchable(call.request.query.get("last", ""))
    found = await repositories.page(call.database, call.registry, after=after, limit=limit + 1)
    names = [repository.name for repository in found[:limit]]
    headers = {}
    if names and len(found) > limit:
        headers["Link"] = next_page(f"{call.target.path}/_catalog", n=str(limit), last=names[-1])
    return web.json_response({"repositories": names}, headers=headers)
