"""The background process: jobs out of a queue in PostgreSQL, some by the clock. `python -m berth.workers` runs it."""
