"""Who there is in an account and what belongs to whom: users, groups, roles, their keys and policies."""
