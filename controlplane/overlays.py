"""What AWS says of each operation, by the overlays in `api-models/`: its action, what it is about, and what else."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OVERLAYS = Path(__file__).parent.parent / "api-models"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the overlay says of an operation (Service Authorization Reference, the page of the service)."""

    action: str
    # The member that says which repositories the call is about: by name, by names or by ARN. None: about all there is.
    repository: str | None = None
    # The ARN of what else the call is about, with members of the request in it: `…:user${Path}${UserName}`.
    resource: str | None = None
    # Nobody needs a permission for it.
    anyone: bool = False
    # The actions that the caller needs beside it, where the request asks for what they are about.
    dependent: tuple[str, ...] = ()


@cache
def rules(service: str) -> dict[str, Rule]:
    """The overlay of a service, by operation."""
    overlay = json.loads((OVERLAYS / f"{service}.json").read_bytes())
    return {
        operation: Rule(
            action=entry["action"],
            repository=entry.get("repository"),
            resource=entry.get("resource"),
            anyone=entry.get("anyone", False),
            dependent=tuple(entry.get("dependentActions", ())),
        )
        for operation, entry in overlay.items()
    }
