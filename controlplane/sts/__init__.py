"""STS: who a caller is, and credentials for a while (STS API reference)."""

from controlplane.sts import callers, federated_users, roles, session_tokens, web_identities

# The modules whose functions are the operations.
OPERATIONS = (callers, federated_users, roles, session_tokens, web_identities)
