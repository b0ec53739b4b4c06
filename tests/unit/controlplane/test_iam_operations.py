"""Which of IAM's operations Berth has: this list is what the documentation promises."""

import json
import re
from pathlib import Path

from controlplane import app
from controlplane.call import built
from controlplane.wire import model

IAM = model.service("iam")
REPOSITORY = Path(__file__).parents[3]
OVERLAY = json.loads((REPOSITORY / "api-models" / "iam.json").read_bytes())


def test_every_operation_that_is_built_is_in_the_overlay_and_no_other() -> None:
    assert app.SERVICES
    made = {name for name in IAM.operations if built("iam", name)}
    assert made == OVERLAY.keys()


def test_the_documentation_lists_what_is_built() -> None:
    text = (REPOSITORY / "docs" / "fidelity.md").read_text()
    told = re.search(r"<!-- IAM operations: .*? -->(.*?)<!-- end -->", text, re.DOTALL)
    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) == {name for name in IAM.operations if built("iam", name)}
    assert f"of the {len(IAM.operations)} operations" in text


def test_an_overlay_names_members_that_the_operation_has() -> None:
    for name, entry in OVERLAY.items():
        shape = IAM.model.operation_model(name).input_shape
        members = set(shape.members) if shape is not None else set()
        named = set(re.findall(r"\$\{(\w+)\}", entry.get("resource", ""))) - {"Account", "Path"}
        assert named <= members, name
        assert entry["access"] in {"List", "Read", "Write", "Tagging", "Permissions management"}, name
        assert entry["action"] == f"iam:{name}"
