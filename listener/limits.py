"""How much of a request's head is read, how long anything may take, and how many may wait."""

# A target is a path with a query; a header field may hold a registry password or a session token.
MAX_LINE_BYTES = 16_384
MAX_HEADER_BYTES = 16_384
MAX_HEADERS = 100
# The PROXY header and the TLS handshake, together.
ADMISSION_SECONDS = 10
# Between two requests. Longer than the 60 s after which most load balancers give up a connection: it must not be the
# server that closes one that is about to be used.
IDLE_SECONDS = 75
# From the first bytes of a request's head to its end.
HEAD_SECONDS = 15
# Without a byte of a body that is wanted, or without room at the receiver for a byte of an answer.
STALL_SECONDS = 60
# How often connections are looked at for what they owe.
WATCH_SECONDS = 1.0
# What is left of a body that nobody wants is read for so long, so that its sender gets to see the answer.
LINGER_SECONDS = 10
# TLS's goodbye.
GOODBYE_SECONDS = 5
# From SIGTERM on, for the requests under way; Kubernetes kills after 30 s.
DRAIN_SECONDS = 25
# How long a process with more connections than another leaves a new one to the other.
YIELD_SECONDS = 0.005
# How long none is accepted when there is no room for one more, or no descriptor.
PAUSE_SECONDS = 0.05
# Descriptors that are not connections': the database's, the store's, the log's.
OTHER_DESCRIPTORS = 128
