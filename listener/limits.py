"""How much of a request's head is read, and how long anything may take."""

# A target is a path with a query; a header field may hold a registry password or a session token.
MAX_LINE_BYTES = 16_384
MAX_HEADER_BYTES = 16_384
MAX_HEADERS = 100
# Between two requests, and from the first byte of a request to the end of its head. Longer than the 60 s after which
# most load balancers give up a connection: it must not be the server that closes one that is about to be used.
IDLE_SECONDS = 75
# What is left of a body that nobody wants is read for so long, so that its sender gets to see the answer.
LINGER_SECONDS = 10
# From SIGTERM on, for the requests under way; Kubernetes kills after 30 s.
DRAIN_SECONDS = 25
