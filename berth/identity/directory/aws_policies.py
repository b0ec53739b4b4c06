"""Those of AWS's own managed policies that have to do with a registry: `api-models/aws-managed-policies.json`.

AWS managed policy reference; the default version of each, as AWS last changed it.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from berth.identity.directory import ids, names

# What stands for the account in their ARNs.
AWS = "aws"
# The folder of those that only a service may attach, to roles of its own.
SERVICE_LINKED = "/aws-service-role/"

_DATA = Path(__file__).parent.parent.parent.parent / "api-models" / "aws-managed-policies.json"


@dataclass(frozen=True, slots=True)
class AwsPolicy:
    """`version` is the number of the version that `document` is, the only one that is known here."""

    id: str
    path: str
    name: str
    version: int
    created_at: datetime
    updated_at: datetime
    description: str
    document: str

    @property
    def arn(self) -> str:
        return names.arn(AWS, "policy", self.path, self.name)


def _policy(entry: Mapping[str, Any]) -> AwsPolicy:
    return AwsPolicy(
        id=entry.get("id") or _id(entry["name"]),
        path=entry["path"],
        name=entry["name"],
        version=entry["version"],
        created_at=datetime.fromisoformat(entry["created"]),
        updated_at=datetime.fromisoformat(entry["updated"]),
        description=entry["description"],
        document=json.dumps(entry["document"], indent=2),
    )


def _id(name: str) -> str:
    """An id where AWS's own is not on record: always the same."""
    return ids.POLICY + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:17]


BY_ARN: Mapping[str, AwsPolicy] = {
    policy.arn: policy for policy in map(_policy, json.loads(_DATA.read_bytes())["policies"])
}


def document(arn: str) -> str | None:
    """What AWS's policy of that ARN says; None where there is none."""
    policy = BY_ARN.get(arn)
    return None if policy is None else policy.document
