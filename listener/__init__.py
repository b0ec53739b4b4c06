"""How a plane listens: sockets, request ids, readiness and a clean end."""
