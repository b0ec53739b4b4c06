"""IAM user guide, "Troubleshoot access denied error messages"."""

from typing import Any

import pytest

from berth.identity.policies import denials
from berth.identity.policies.decide import decide
from tests.unit.identity.policies.asking import ALICE, OTHER, REPOSITORY, SESSION, allow, applying, deny, request, to

NOTHING = allow("s3:GetObject")


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        (applying(), "because no identity-based policy allows the ecr:PutImage action"),
        (applying(allow(), boundary=NOTHING), "because no permissions boundary allows the ecr:PutImage action"),
        (applying(allow(), session=[NOTHING]), "because no session policy allows the ecr:PutImage action"),
        (applying(allow(), levels=[[NOTHING]]), "because no service control policy allows the ecr:PutImage action"),
        (applying(allow(), endpoint=NOTHING), "because no VPC endpoint policy allows the ecr:PutImage action"),
        (applying(allow(), trust=to(OTHER)), "because no role trust policy allows the ecr:PutImage action"),
        (applying(deny()), "with an explicit deny in an identity-based policy"),
        (applying(boundary=deny()), "with an explicit deny in a permissions boundary"),
        (applying(session=[deny()]), "with an explicit deny in a session policy"),
        (applying(levels=[[deny()]]), "with an explicit deny in a service control policy"),
        (applying(endpoint=deny()), "with an explicit deny in a VPC endpoint policy"),
        (applying(resource=[to("*", effect="Deny")]), "with an explicit deny in a resource-based policy"),
        (applying(trust=to("*", effect="Deny")), "with an explicit deny in the role trust policy"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_aws(which: Any, reason: str) -> None:
    asked = request(SESSION)
    head = f"User: {SESSION} is not authorized to perform: ecr:PutImage on resource: {REPOSITORY} "
    assert denials.words(asked, decide(asked, which)) == head + reason


def test_across_accounts_the_policy_on_the_resource_is_named() -> None:
    asked = request(ALICE, owner=OTHER)
    reason = denials.reason("ecr:PutImage", decide(asked, applying(allow())))
    assert reason == "because no resource-based policy allows the ecr:PutImage action"
