"""What changed, told to every process, so that nothing that one remembers of the database is older than a second."""

from berth.changes.telling import (
    KEYRING,
    NEVER,
    Subject,
    heard,
    of_access,
    of_account,
    of_exclusions,
    of_identity,
    of_key,
    of_policy,
    of_referrers,
    of_registry,
    of_repository,
    tell,
    tell_of,
    told_of_referrers,
)

__all__ = [
    "KEYRING",
    "NEVER",
    "Subject",
    "heard",
    "of_access",
    "of_account",
    "of_exclusions",
    "of_identity",
    "of_key",
    "of_policy",
    "of_referrers",
    "of_registry",
    "of_repository",
    "tell",
    "tell_of",
    "told_of_referrers",
]
