"""The servers that are measured: Berth, and each of its peers in a file of its own."""
