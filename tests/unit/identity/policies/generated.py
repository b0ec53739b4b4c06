"""Random questions to the policies, of the shape that test_corpus has: every operator, missing and odd values too."""

from typing import Any

from hypothesis import strategies as st

from tests.unit.identity.policies.asking import ACCOUNT, ALICE, OTHER, ROLE, SESSION

ACTIONS = ["ecr:PutImage", "ecr:BatchGetImage", "ecr:CreateRepository"]
ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/"
RESOURCES = [f"{ARN}team/web", f"{ARN}prod/api", "*"]
_MOMENTS = [
    "2026-11-24T10:00:00Z",
    "2026-11-24T10:00Z",
    "2026-11-24",
    "2026-11",
    "2026",
    "2026-11-24T11:00:00.500+02:00",
]
_MOMENTS += ["1795514400", "-1", "0", "soon", ""]
_NUMBERS = ["100", "5000", "4999.5", "1e2", "+100.0", "-1", "0", "1e400", " 100", "1_0", "NaN", "x", ""]
_ADDRESSES = ["10.1.2.3", "2001:db8::1", "2001:DB8:0::1", "203.0.113.7", "::ffff:10.1.2.3", "10.1", ""]
_ARNS = [ALICE, ROLE, "arn:aws:codebuild:us-east-1:1:project/a:b", "arn:aws:s3:::b", "odd", ""]
# The condition keys by what they are compared as, with values that a request may have.
CONTEXT: dict[str, dict[str, list[Any]]] = {
    "String": {
        "aws:username": ["alice", "a*e", "ALICE"],
        "aws:PrincipalTag/team": ["team", "Prod", "", "${aws:username}", "?"],
        "aws:TagKeys": [[], ["env"], ["env", "owner"], [""], ["", "env"], "env"],
        "aws:PrincipalOrgPaths": [["o-1/r-1/"], ["o-1/r-1/", "o-2/r-2/"]],
    },
    "Arn": {"aws:PrincipalArn": _ARNS, "aws:SourceArn": _ARNS},
    "Numeric": {"aws:MultiFactorAuthAge": _NUMBERS},
    "Date": {"aws:CurrentTime": _MOMENTS, "aws:EpochTime": _MOMENTS},
    "Bool": {"aws:SecureTransport": ["true", "false", "True", "1", ""]},
    "IpAddress": {"aws:SourceIp": [*_ADDRESSES[:4], "odd"]},
}
VALUES: dict[str, list[Any]] = {
    "String": [
        *("team", "TEAM", "t*", "??v", "*", "env", "", "$", "${", "o-1/*", "[a-z]+", "a.i.e", "a${*}e", "${*}", "${?}"),
        *("${aws:username}", "${AWS:UserName}*", "${ aws:username }", "${$}{aws:username}", "${aws:TagKeys}"),
        *("${aws:PrincipalTag/team, 'prod'}", "${aws:missing}", "${aws:missing, ''}", "${aws:missing, 't*'}"),
    ],
    "Arn": [
        *(ALICE, f"arn:aws:iam::{ACCOUNT}:*", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:role/te?ms/*"),
        *(
            "*",
            "arn:*",
            "arn:aws:*:*:*:project/a:*",
            "arn:aws:iam::${aws:missing, '*'}:*",
            "${aws:PrincipalArn}",
            "odd",
        ),
    ],
    "Numeric": [*_NUMBERS, 100, 99.5],
    "Date": _MOMENTS,
    "Bool": ["true", "false", True, False, "TRUE", "1", ""],
    "IpAddress": [
        "10.0.0.0/8",
        "10.1.2.3/8",
        "2001:db8::/32",
        "2001:0db8::0001",
        "10.1.2.3",
        "0.0.0.0/0",
        "::/0",
        "odd",
    ],
}
_ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
OPERATORS = {
    "String": [
        *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
        *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ],
    "Arn": ["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"],
    "Numeric": [f"Numeric{order}" for order in _ORDERS],
    "Date": [f"Date{order}" for order in _ORDERS],
    "Bool": ["Bool"],
    "IpAddress": ["IpAddress", "NotIpAddress"],
}


def several(values: list[Any]) -> st.SearchStrategy[Any]:
    """One value, or a list."""
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


def contexts() -> st.SearchStrategy[dict[str, Any]]:
    keys = {key: st.sampled_from(values) for kind in CONTEXT.values() for key, values in kind.items()}
    return st.fixed_dictionaries({}, optional=keys)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(OPERATORS)))
    quantifier = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
    written = f"{quantifier}{draw(st.sampled_from(OPERATORS[kind]))}{draw(st.sampled_from(['', '', 'IfExists']))}"
    key = draw(st.sampled_from([*CONTEXT[kind], "aws:missing", *(key.upper() for key in CONTEXT[kind])]))
    asked = {written: {key: draw(several(VALUES[kind]))}}
    null = {"Null": {key: draw(several(["true", "false", True, "other"]))}}
    return draw(st.sampled_from([asked, asked, null, null | asked]))


@st.composite
def statements(draw: st.DrawFn, *, on_resource: bool = False) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    actions = several([*ACTIONS, "*", "ecr:*Image", "ECR:Put*", "ecr:CreateRepositor?", "s3:*"])
    statement[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(actions)
    if on_resource:
        negated = statement["Effect"] == "Deny" and draw(st.booleans())
        statement["NotPrincipal" if negated else "Principal"] = draw(_principals())
    else:
        statement[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(_resources())
    if draw(st.booleans()):
        statement["Condition"] = draw(conditions())
    return statement


def _principals() -> st.SearchStrategy[Any]:
    root, other_session = f"arn:aws:iam::{ACCOUNT}:root", SESSION.replace("job-7", "job-8")
    named = several([ALICE, ROLE, SESSION, other_session, ACCOUNT, OTHER, root, "*"])
    service = st.just({"Service": "codebuild.amazonaws.com"})
    both = named.map(lambda names: {"AWS": names, "Federated": "cognito-identity.amazonaws.com"})
    return named.map(lambda names: {"AWS": names}) | st.just("*") | service | both


def _resources() -> st.SearchStrategy[Any]:
    return several(
        [
            *("*", f"{ARN}*", f"{ARN}team/we?", f"{ARN}TEAM/web", "arn:aws:ecr", "arn:aws:ecr:*", "arn:aws:s3:::*"),
            *("arn:aws:ecr:*:*:*/web", f"arn:aws:ecr:us-??st-1:{ACCOUNT}:*", f"{ARN}${{*}}", f"{ARN}team/we${{?}}"),
            *(f"{ARN}${{aws:PrincipalTag/team}}/*", f"{ARN}${{aws:username, 'prod'}}/*", f"{ARN}*${{aws:missing}}"),
        ]
    )


@st.composite
def documents(draw: st.DrawFn, *, on_resource: bool = False) -> dict[str, Any]:
    each = draw(st.lists(statements(on_resource=on_resource), min_size=1, max_size=3))
    return {"Version": draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"])), "Statement": each}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    caller = draw(st.sampled_from([ALICE, SESSION, f"arn:aws:iam::{ACCOUNT}:root"]))
    case: dict[str, Any] = {
        "principal": caller,
        "action": draw(st.sampled_from(ACTIONS)),
        "resource": draw(st.sampled_from(RESOURCES)),
        "resourceAccount": draw(st.sampled_from([ACCOUNT, ACCOUNT, OTHER])),
        "context": draw(contexts()),
        "identityPolicies": draw(st.lists(documents(), max_size=2)),
    }
    if caller == SESSION:
        case["sessionOf"] = ROLE
    optional: dict[str, st.SearchStrategy[Any]] = {
        "repositoryPolicy": documents(on_resource=True),
        "permissionsBoundary": documents(),
        "sessionPolicies": st.lists(documents(), min_size=1, max_size=2),
        "serviceControlPolicies": st.lists(documents(), min_size=1, max_size=2),
    }
    if caller == ALICE:
        del optional["sessionPolicies"]
    elif caller != SESSION:
        del optional["sessionPolicies"], optional["permissionsBoundary"]
    return case | draw(st.fixed_dictionaries({}, optional=optional))
