"""How a plane listens: its sockets, request ids, health, limits, and how it stops.

    # controlplane/__main__.py
    serve("controlplane", "api_listen", make_app)

`make_app(settings)` returns an aiohttp application, in which the plane has set:

- `app[DATABASE]`: the plane's berth.db.Database, asked by `/readyz` (the plane opens and closes it, by `cleanup_ctx`);
- `app[STORE]`: its berth.store.contract.Store, where it has one, likewise;
- `app[ANSWER_FAULT]`: how this plane says what is wrong with a request that no handler sees, because it is not HTTP,
  or because the code failed: a function of the status and a text for people, that returns a response.

Its routes are added with `expect_handler=expect`. In a handler, `berth.logs.request_id.get()` is the id of the
request: a new UUID, also in every line that is logged.
"""

from berth.sockets import AddressUnusable
from listener.faults import ANSWER_FAULT
from listener.health import DATABASE, STORE
from listener.requests import expect
from listener.serving import Address, listening, serve

__all__ = ["ANSWER_FAULT", "DATABASE", "STORE", "Address", "AddressUnusable", "expect", "listening", "serve"]
