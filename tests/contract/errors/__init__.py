"""How each modelled error of each operation is provoked through the API, a file a room; importing this finds them.

Not here: what is generated from the model (a parameter that breaks a constraint, a repository that is not there) and
what cannot be reached, with the reason why (`unreachable`).
"""

from tests.contract.errors import (
    images,
    layers,
    lifecycle,
    registries,
    replication,
    repositories,
    scanning,
    templates,
    upstreams,
)
from tests.contract.errors.stage import SCENARIOS

__all__ = [
    "SCENARIOS",
    "images",
    "layers",
    "lifecycle",
    "registries",
    "replication",
    "repositories",
    "scanning",
    "templates",
    "upstreams",
]
