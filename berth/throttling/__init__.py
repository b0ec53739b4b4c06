"""How much an account may ask for: ECR's rates, one bucket for each account, region and action.

`Throttle.wait` takes a token in less than a microsecond: the processes of a machine have their buckets in memory that
they share (cells.py); those of several machines tell each other through PostgreSQL, beside the requests (sharing.py).
"""
