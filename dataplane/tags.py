"""Tags of a repository, paged. OCI Distribution 1.1, "Listing Tags"."""

import re
from urllib.parse import urlencode

from aiohttp import web

from berth.images import lists
from dataplane.call import Call
from dataplane.errors import OciError

# What a page holds at most, whatever is asked for: the client follows Link.
PAGE = 1000


async def get(call: Call) -> web.StreamResponse:
    limit = page_size(call.request)
    after = searchable(call.request.query.get("last", ""))
    names = await lists.tag_names(call.database, call.registry, call.name, after=after, limit=limit + 1)
    page = names[:limit]
    headers = {}
    if page and len(names) > limit:
        headers["Link"] = next_page(f"{call.target.path}/tags/list", n=str(limit), last=page[-1])
    return web.json_response({"name": call.target.path.removeprefix("/v2/"), "tags": page}, headers=headers)


def page_size(request: web.Request) -> int:
    """How many the client asks for by `n`, at most PAGE."""
    text = request.query.get("n")
    if text is None:
        return PAGE
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise OciError(400, "PAGINATION_NUMBER_INVALID", f"n is '{text[:40]}' and not a number of results")
    return min(int(text), PAGE)


def next_page(path: str, **query: str) -> str:
    """A Link header as RFC 5988 has it."""
    return f'<{path}?{urlencode(query)}>; rel="next"'


def searchable(text: str) -> str:
    """PostgreSQL holds no NUL: what has one comes after no tag that there is, and before none."""
    return text.replace("\x00", "")[:256]
