"""How a plane listens: its sockets, request ids, health, limits, and how it stops.

    # controlplane/__main__.py
    serve("controlplane", "api_listen", make_app)

`make_app(settings)` returns an aiohttp application, in which the plane has set:

- `app[DATABASE]`: the plane's `Database`, asked by `/readyz` (the plane opens and closes it, by `cleanup_ctx`);
- `app[STORE]`: its berth.store.contract.Store, where it has one, likewise;
- `app[ANSWER_FAULT]`: how this plane says what is wrong with a request that no handler sees, because it is not HTTP,
  or because the code failed: a function of the status and a text for people, that returns a response;
- `app[ANSWER_AT_ONCE]`, where it has any: the answers that it can give from memory (listener/prompt.py).

Its routes are added with `expect_handler=expect`. In a handler, `berth.logs.request_id.get()` is the id of the
request: a new UUID, also in every line that is logged; `peer_of(request)` is where it comes from, and
`circumstances_of(request, region)` what policies want to know of that.
"""

from berth.networks.sockets import AddressUnusable
from listener.circumstances import circumstances, circumstances_of
from listener.faults import ANSWER_FAULT
from listener.health import DATABASE, STORE
from listener.peers import Peer, peer_of
from listener.prompt import ANSWER_AT_ONCE, Prompt
from listener.requests import HOST, expect
from listener.running import serve
from listener.serving import Address, listening

__all__ = [
    "ANSWER_AT_ONCE",
    "ANSWER_FAULT",
    "DATABASE",
    "HOST",
    "STORE",
    "Address",
    "AddressUnusable",
    "Peer",
    "Prompt",
    "circumstances",
    "circumstances_of",
    "expect",
    "listening",
    "peer_of",
    "serve",
]
