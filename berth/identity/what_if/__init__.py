"""What a change of policy would change for the requests of the past days.

The change is made by the very operation that makes it for good (changing.py), in a transaction that is rolled back
(trial.py), in which the policies are read before and after (policies.py). Each request that was recorded is decided by
both (asking.py); what differs is counted (differences.py).
"""
