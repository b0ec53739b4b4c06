"""Where requests come from, and where Berth may go: networks, proxies, sockets, TLS, the guard of what it fetches."""
