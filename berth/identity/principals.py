"""A principal: who makes a request."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Principal:
    """IAM user guide, "IAM identifiers": what GetCallerIdentity tells of the caller, and the key that proved it."""

    account: str
    arn: str
    user_id: str
    access_key_id: str

    @classmethod
    def root(cls, account: str, access_key_id: str) -> Self:
        return cls(account, f"arn:aws:iam::{account}:root", account, access_key_id)
