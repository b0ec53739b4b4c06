from berth.identity.policies.explaining import explain
from tests.unit.identity.policies.asking import ALICE, OTHER, REPOSITORY, allow, applying, deny, document, request, to


def test_the_statements_that_hold_are_told_from_those_that_do_not() -> None:
    policy = document(
        {"Sid": "Push", "Effect": "Allow", "Action": "ecr:Put*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "NotResource": f"{REPOSITORY}*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "arn:aws:ecr:*:*:repository/other",
            "Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": ["team"]}, "Bool": {"aws:SecureTransport": True}},
        },
    )
    told = explain(request(keys={"aws:SecureTransport": "false"}), applying(policy))
    (verdict,) = told.verdicts
    assert (told.decision.outcome, verdict.outcome, verdict.kind) == ("Allowed", "Allowed", "identity-based policy")
    assert [str(each) for each in verdict.considered] == [
        f"identity-0, statement 2, does not deny it: its NotResource leaves out {REPOSITORY}",
        "identity-0, statement 1 (Push), allows it",
        "identity-0, statement 4, does not allow it: "
        f"its Resource leaves out {REPOSITORY}; "
        "its condition ForAnyValue:StringLike aws:TagKeys ['team'] does not hold: the request has no such key; "
        "its condition Bool aws:SecureTransport ['true'] does not hold: the request has 'false'",
    ]


def test_each_kind_of_policy_has_its_verdict() -> None:
    which = applying(
        allow(), boundary=allow("s3:*"), resource=[to(OTHER), to(ALICE, effect="Deny")], levels=[[allow()], [deny()]]
    )
    told = explain(request(), which)
    assert (told.decision.outcome, told.decision.kind) == ("ExplicitlyDenied", "service control policy")
    assert [(verdict.kind.name, verdict.outcome) for verdict in told.verdicts] == [
        ("SERVICE_CONTROL", "Allowed"),
        ("SERVICE_CONTROL", "ExplicitlyDenied"),
        ("RESOURCE", "ExplicitlyDenied"),
        ("IDENTITY", "Allowed"),
        ("BOUNDARY", "ImplicitlyDenied"),
    ]
    assert f"its Principal leaves out {ALICE}" in str(told.verdicts[2].considered[1])


def test_keys_that_the_policies_look_at_and_the_request_lacks_are_named() -> None:
    conditions = {"StringEquals": {"aws:SourceVpce": "vpce-1", "AWS:username": "${aws:PrincipalTag/Team}"}}
    policy = allow(resource="arn:aws:ecr:*:*:repository/${aws:PrincipalTag/unit, 'x'}/*", Condition=conditions)
    told = explain(request(keys={"aws:UserName": "alice"}), applying(policy))
    assert told.missing == ("aws:principaltag/team", "aws:principaltag/unit", "aws:sourcevpce")


def test_a_boundary_voids_the_exceptions_of_not_principal() -> None:
    exception = document({"Effect": "Deny", "NotPrincipal": {"AWS": ALICE}, "Action": "*"})
    told = explain(request(), applying(allow(), boundary=allow(), resource=[exception]))
    assert str(told.verdicts[0].considered[0]) == "resource-0, statement 1, denies it"
