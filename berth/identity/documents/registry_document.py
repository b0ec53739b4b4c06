"""The policy on a registry, as PutRegistryPolicy takes it. Pure.

ECR user guide, "Private registry permissions in Amazon ECR".
"""

import re
from enum import StrEnum

from berth import json_schemas
from berth.identity.documents import ecr_document
from berth.identity.documents.ecr_document import InvalidPolicy, Kind
from berth.identity.documents.policy import PolicyDocument
from berth.identity.policies.globs import glob


class Scope(StrEnum):
    """What registry policies are asked about: replication and pull-through alone (V1), or every request (V2)."""

    V1 = "V1"
    V2 = "V2"


ACTIONS_OF_V1 = ("ecr:replicateimage", "ecr:batchimportupstreamimage", "ecr:createrepository")
# Wildcards may stand in all parts but the first. ECR takes the ARNs of ecr-public for upstreams, too.
RESOURCE = re.compile(r"\*|arn:[a-z*?-]+:(ecr|ecr-public|\*):[a-z0-9*?-]*:[0-9*?]*:\S+", re.ASCII)


class InvalidRegistryPolicy(InvalidPolicy):
    owner = "registry"


def _is_of_v1(action: str) -> bool:
    return any(map(glob(action), ACTIONS_OF_V1))


_SCHEMA = json_schemas.validator("registry-policy")
KINDS = {
    Scope.V1: Kind(InvalidRegistryPolicy, _SCHEMA, "on a registry under the policy scope V1", _is_of_v1, RESOURCE),
    Scope.V2: Kind(InvalidRegistryPolicy, _SCHEMA, "on a registry", lambda _: True, RESOURCE),
}


def parse(text: str, scope: Scope) -> PolicyDocument:
    """The policy that `text` describes. Raises InvalidRegistryPolicy, and InvalidParameter for too long a text.

    Each statement says which repositories it is about, by ARNs. Under V1 there are three actions; `ecr:*` means them.
    """
    return ecr_document.parse(text, KINDS[scope])


def normalize(text: str) -> str:
    """The text that ECR gives back for the policy `text`. Raises as `parse` does for what is no policy at all."""
    return ecr_document.normalize(text, KINDS[Scope.V2])
