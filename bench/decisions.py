"""`python -m bench.decisions`: what a decision by policies costs, in this process and warm.

The time is CPU time of the process, of rounds that are short, so that other programs disturb few of them; the least of
all rounds is what the work costs, and the median what it costs on this machine as busy as it is.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

from bench import machine
from berth.audit import AuditLog
from berth.identity.access import Access
from berth.identity.authorize import Asked, authorize
from berth.identity.documents import grammar
from berth.identity.own_policies import Own
from berth.identity.permits import Permits
from berth.identity.policies import context
from berth.identity.policies.callers import Caller
from berth.identity.policies.compiled import Compiled, Kind, Policies, Policy
from berth.identity.policies.context import Circumstances
from berth.identity.policies.decide import Applying, Request, decide
from berth.identity.principals import Principal
from berth.names import Registry

ROUNDS, EACH = 400, 100
ACCOUNT = "111122223333"
REPOSITORY = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team9/app"
POLICIES = 10


def main() -> None:
    print(f"{machine.this_machine()}\nload average: {machine.load_averages()}\n")
    print(f"  {'Decisions, in process and warm':<64}{'least':>10}{'median':>10}")
    for title, work in works().items():
        spent = sorted(_round(work) for _ in range(ROUNDS))
        print(f"    {title:<62}{spent[0] * 1e6:>7.1f} µs{median(spent) * 1e6:>7.1f} µs")


def works() -> dict[str, Callable[[], object]]:
    """Ten policies with three statements each: allow some actions under a condition, others by a variable, deny."""
    documents = [_document(number) for number in range(POLICIES)]
    ten = Applying(_policies(Kind.IDENTITY, *documents))
    limited = Applying(
        ten.identity,
        boundary=_policies(Kind.BOUNDARY, _allowing("ecr:*")),
        resource=_policies(Kind.RESOURCE, _allowing("ecr:*", Principal={"AWS": "444455556666"})),
        service_control=(_policies(Kind.SERVICE_CONTROL, _allowing("*")),),
    )
    pull, put, delete = _request("ecr:BatchGetImage"), _request("ecr:PutImage"), _request("ecr:DeleteRepository")
    return {
        "as a plane decides, remembered": _as_a_plane(documents, lasting=True),
        "as a plane decides, anew, with all condition keys": _as_a_plane(documents, lasting=False),
        "ten policies, allowed by the last": lambda: decide(pull, ten),
        "ten policies, allowed by a variable": lambda: decide(put, ten),
        "ten policies, allowed by none": lambda: decide(delete, ten),
        "the same with a boundary, an SCP and a repository policy": lambda: decide(pull, limited),
        "to compile one of the policies": lambda: Compiled(grammar.document(documents[0])),
    }


def _as_a_plane(documents: list[dict[str, Any]], *, lasting: bool) -> Callable[[], object]:
    """A pull by a user with these policies; where it is to last, without what they say of TLS."""
    said = slice(0, 2) if lasting else slice(None)
    kept = [{**document, "Statement": document["Statement"][said]} for document in documents]
    texts = [(str(number), json.dumps(each)) for number, each in enumerate(kept)]
    principal = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice", "AIDA", "AKIA")
    permits = Permits(principal, Own(principal.arn, "alice", {"team": "team9"}, texts, None, None, None, ()))
    nothing = {"id": 1, "policy": None, "tags": {}, "registry_policy": None, "scope": None, "is_closed": False}
    asked = Asked("ecr:BatchGetImage", REPOSITORY, Access(Registry(ACCOUNT, "us-east-1"), "team9/app", nothing))
    audit = AuditLog()

    def work() -> None:
        circumstances = Circumstances(datetime.now(UTC), "10.0.0.7", secure=True, region="us-east-1")
        authorize(permits, asked, circumstances, audit)

    return work


def _round(work: Callable[[], object]) -> float:
    started = time.process_time()
    for _ in range(EACH):
        work()
    return (time.process_time() - started) / EACH


def _request(action: str) -> Request:
    keys = {
        "aws:PrincipalTag/team": "team9",
        "aws:SecureTransport": "true",
        "aws:SourceIp": "203.0.113.7",
        "aws:CurrentTime": "2026-11-24T10:00:00Z",
    }
    caller = Caller.aws(f"arn:aws:iam::{ACCOUNT}:user/ci")
    return Request(caller, action, REPOSITORY, ACCOUNT, context.lowered(keys))


def _document(number: int) -> dict[str, Any]:
    team = f"team{number}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
                "Resource": f"arn:aws:ecr:*:{ACCOUNT}:repository/{team}/*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": team}},
            },
            {
                "Effect": "Allow",
                "Action": "ecr:Put*",
                "Resource": f"arn:aws:ecr:*:{ACCOUNT}:repository/${{aws:PrincipalTag/team}}/*",
            },
            {
                "Effect": "Deny",
                "Action": "ecr:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def _allowing(action: str, **others: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*", **others}]}


def _policies(kind: Kind, *documents: dict[str, Any]) -> Policies:
    read = (grammar.document(json.loads(json.dumps(document))) for document in documents)
    return Policies(kind, [Policy(f"policy {number}", Compiled(each)) for number, each in enumerate(read)])


if __name__ == "__main__":
    main()
