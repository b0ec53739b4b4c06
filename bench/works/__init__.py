"""What the servers are given to do, each kind of work in a file of its own."""
