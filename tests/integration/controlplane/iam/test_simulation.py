"""What the policy simulator says of policies that somebody has, and of those that are written down."""

import json
from typing import Any

import pytest

from berth.database.db import Database
from berth.identity.directory import service_control
from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.iam.conftest import As

Statement = dict[str, Any]
TEMPLATE = "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"


def policy(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=4)


def statement(effect: str, action: str | list[str], resource: str = "*", **more: Any) -> Statement:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


PULLS = policy(statement("Allow", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]))


def decisions(answer: dict[str, Any]) -> dict[str, str]:
    return {result["EvalActionName"]: result["EvalDecision"] for result in answer["EvaluationResults"]}


def matched(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["SourcePolicyId"], each["SourcePolicyType"]) for each in result["MatchedStatements"]]


@pytest.fixture
async def alice(iam: Api) -> str:
    """The ARN of a user with an inline policy, a managed one, and those of a group."""
    arn: str = (await iam.create_user(UserName="alice", Path="/team/"))["User"]["Arn"]
    await iam.put_user_policy(UserName="alice", PolicyName="own", PolicyDocument=PULLS)
    made = await iam.create_policy(
        PolicyName="pushes",
        PolicyDocument=policy(statement("Allow", "ecr:Put*"), statement("Deny", "ecr:PutImageTag*")),
    )
    await iam.attach_user_policy(UserName="alice", PolicyArn=made["Policy"]["Arn"])
    await iam.create_group(GroupName="all")
    await iam.put_group_policy(
        GroupName="all", PolicyName="shared", PolicyDocument=policy(statement("Allow", "ecr:Describe*"))
    )
    await iam.add_user_to_group(GroupName="all", UserName="alice")
    readonly = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    await iam.attach_group_policy(GroupName="all", PolicyArn=readonly)
    return arn


async def test_what_a_user_may_do_and_by_which_statements(iam: Api, alice: str) -> None:
    actions = [
        "ecr:BatchGetImage",
        "ecr:PutImage",
        "ecr:PutImageTagMutability",
        "ecr:DeleteRepository",
        "ecr:ListImages",
    ]
    answer = await iam.simulate_principal_policy(PolicySourceArn=alice, ActionNames=actions)
    assert decisions(answer) == dict(
        zip(actions, ["allowed", "allowed", "explicitDeny", "implicitDeny", "allowed"], strict=True)
    )
    assert answer["IsTruncated"] is False
    pull, push, tagging, deleting, listing = answer["EvaluationResults"]
    assert ("own", "user") in matched(pull)
    assert ("AmazonEC2ContainerRegistryReadOnly", "aws-managed") in matched(pull)
    assert matched(push) == [("pushes", "user-managed")]
    assert matched(tagging) == [("pushes", "user-managed")]
    assert matched(deleting) == []
    assert {kind for _, kind in matched(listing)} == {"aws-managed"}
    assert push["EvalResourceName"] == "*"
    assert push["MatchedStatements"][0]["StartPosition"] == {"Line": 3, "Column": 19}
    assert push["MatchedStatements"][0]["EndPosition"] == {"Line": 8, "Column": 10}
    for absent in ("ResourceSpecificResults", "PermissionsBoundaryDecisionDetail", "OrganizationsDecisionDetail"):
        assert absent not in push
    group = await iam.simulate_principal_policy(PolicySourceArn=alice, ActionNames=["ecr:DescribeRegistry"])
    assert ("shared", "group") in matched(group["EvaluationResults"][0])


async def test_each_resource_has_a_result_of_its_own(iam: Api, registry: Registry) -> None:
    one, other = registry.arn("team/one"), registry.arn("team/other")
    answer = await iam.simulate_custom_policy(
        PolicyInputList=[policy(statement("Allow", "ecr:PutImage", one)), policy(statement("Allow", "s3:*"))],
        ActionNames=["ecr:PutImage"],
        ResourceArns=[one, other],
    )
    (result,) = answer["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalResourceName"] == TEMPLATE
    found = {each["EvalResourceName"]: each for each in result["ResourceSpecificResults"]}
    assert found[one]["EvalResourceDecision"] == "allowed"
    assert matched(found[one]) == [("PolicyInputList.1", "none")]
    assert found[other]["EvalResourceDecision"] == "implicitDeny"


async def test_the_context_counts_and_what_is_missing_is_told(iam: Api, registry: Registry) -> None:
    conditions = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:PrincipalTag/team": "one"}}
    asked = {
        "PolicyInputList": [policy(statement("Allow", "ecr:*", Condition=conditions))],
        "ActionNames": ["ecr:PutImage"],
    }
    address = {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["10.1.2.3"], "ContextKeyType": "ip"}
    team = {"ContextKeyName": "AWS:principaltag/team", "ContextKeyValues": ["one"], "ContextKeyType": "string"}
    (result,) = (await iam.simulate_custom_policy(**asked, ContextEntries=[address]))["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["aws:PrincipalTag/team"]
    (result,) = (await iam.simulate_custom_policy(**asked, ContextEntries=[address, team]))["EvaluationResults"]
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", [])


async def test_boundaries_and_organizations_are_told_apart(iam: Api, alice: str, database: Database) -> None:
    account = alice.split(":")[4]
    limit = await iam.create_policy(PolicyName="limit", PolicyDocument=policy(statement("Allow", "ecr:Batch*")))
    await iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=limit["Policy"]["Arn"])
    await service_control.put(database, account, {"none": policy(statement("Deny", "ecr:BatchGetImage"))})
    asked = {"PolicySourceArn": alice, "ActionNames": ["ecr:PutImage", "ecr:BatchGetImage"]}
    push, pull = (await iam.simulate_principal_policy(**asked))["EvaluationResults"]
    assert push["EvalDecision"] == "implicitDeny"
    assert push["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    assert push["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    assert pull["EvalDecision"] == "explicitDeny"
    assert pull["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
    assert pull["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert matched(pull) == []

    types = [{"PolicyType": "permission-boundary"}, {"PolicyType": "scp"}]
    freed = await iam.simulate_principal_policy(**asked, PolicyExclusionList=types)
    assert set(decisions(freed).values()) == {"allowed"}
    wide = [policy(statement("Allow", "*"))]
    widened = await iam.simulate_principal_policy(**asked, PermissionsBoundaryPolicyInputList=wide)
    assert decisions(widened) == {"ecr:PutImage": "allowed", "ecr:BatchGetImage": "explicitDeny"}


@pytest.mark.parametrize(
    ("identifier", "pull", "push"),
    [
        ({"PolicyType": "inline"}, "allowed", "allowed"),
        ({"PolicyType": "aws-managed"}, "allowed", "allowed"),
        ({"PolicyType": "user-managed"}, "allowed", "implicitDeny"),
        ({"PolicyArn": "arn:aws:iam::{account}:policy/pu*"}, "allowed", "implicitDeny"),
        ({"PolicyArn": "arn:aws:iam::{account}:policy/other"}, "allowed", "allowed"),
        ({"PolicyType": "rcp"}, "allowed", "allowed"),
    ],
)
async def test_policies_are_left_out(iam: Api, alice: str, identifier: dict[str, str], pull: str, push: str) -> None:
    excluded = {name: value.format(account=alice.split(":")[4]) for name, value in identifier.items()}
    answer = await iam.simulate_principal_policy(
        PolicySourceArn=alice, ActionNames=["ecr:BatchGetImage", "ecr:PutImage"], PolicyExclusionList=[excluded]
    )
    assert decisions(answer) == {"ecr:BatchGetImage": pull, "ecr:PutImage": push}


async def test_an_inline_policy_is_left_out_by_its_holder(iam: Api, alice: str) -> None:
    def inline(name: str, kind: str, holder: str) -> dict[str, Any]:
        return {"InlinePolicyIdentifier": {"PolicyName": name, "AttachmentType": kind, "AttachmentName": holder}}

    asked = {"PolicySourceArn": alice, "ActionNames": ["ecr:BatchGetImage"]}
    readonly = {"PolicyType": "aws-managed"}
    for identifier, decision in (
        (inline("own", "user", "alice"), "implicitDeny"),
        (inline("own", "group", "alice"), "allowed"),
        (inline("own", "user", "bob"), "allowed"),
    ):
        answer = await iam.simulate_principal_policy(**asked, PolicyExclusionList=[readonly, identifier])
        assert decisions(answer) == {"ecr:BatchGetImage": decision}


async def test_policies_on_the_resource_and_other_accounts(iam: Api, alice: str, registry: Registry) -> None:
    arn = "arn:aws:ecr:us-east-1:999999999999:repository/shared"
    text = policy({"Effect": "Allow", "Principal": {"AWS": alice}, "Action": "ecr:*", "Resource": "*"})
    asked = {"ActionNames": ["ecr:BatchGetImage"], "ResourceArns": [arn]}
    (result,) = (await iam.simulate_principal_policy(PolicySourceArn=alice, **asked, ResourcePolicy=text))[
        "EvaluationResults"
    ]
    assert result["EvalDecision"] == "allowed"
    assert ("ResourcePolicy", "resource") in matched(result)
    assert result["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "allowed"}
    custom = {**asked, "PolicyInputList": [policy(statement("Allow", "s3:*"))], "ResourcePolicy": text}
    (result,) = (await iam.simulate_custom_policy(**custom, CallerArn=alice))["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalDecisionDetails"] == {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}
    bob = alice.replace("alice", "bob")
    (result,) = (
        await iam.simulate_principal_policy(PolicySourceArn=alice, **asked, ResourcePolicy=text, CallerArn=bob)
    )["EvaluationResults"]
    assert result["EvalDecisionDetails"]["Resource Policy"] == "implicitDeny"
    own = {"ActionNames": ["ecr:BatchGetImage"], "PolicyInputList": [PULLS], "ResourcePolicy": text, "CallerArn": alice}
    (result,) = (await iam.simulate_custom_policy(**own, ResourceOwner="999999999999"))["EvaluationResults"]
    assert "EvalDecisionDetails" in result
    (result,) = (await iam.simulate_custom_policy(**own))["EvaluationResults"]
    assert "EvalDecisionDetails" not in result


async def test_levels_of_an_organization(iam: Api) -> None:
    full, few = policy(statement("Allow", "*")), policy(statement("Allow", "ecr:Batch*"))
    levels = [{"ServiceControlPolicyInputList": [each]} for each in (full, few)]
    answer = await iam.simulate_custom_policy(
        PolicyInputList=[full],
        OrderedOrganizationPolicyInputList=levels,
        ActionNames=["ecr:BatchGetImage", "ecr:PutImage"],
    )
    assert decisions(answer) == {"ecr:BatchGetImage": "allowed", "ecr:PutImage": "implicitDeny"}


async def test_pages(iam: Api) -> None:
    actions = [f"ecr:Action{number}" for number in range(7)]
    asked = {"PolicyInputList": [policy(statement("Allow", "ecr:Action3"))], "ActionNames": actions}
    pages = await iam.pages("simulate_custom_policy", **asked, PaginationConfig={"PageSize": 3})
    assert [len(page["EvaluationResults"]) for page in pages] == [3, 3, 1]
    found = [result["EvalActionName"] for page in pages for result in page["EvaluationResults"]]
    assert found == actions
    resources = [f"arn:aws:ecr:us-east-1:123456789012:repository/r{number}" for number in range(400)]
    pages = await iam.pages("simulate_custom_policy", **asked, ResourceArns=resources)
    assert [len(page["EvaluationResults"]) for page in pages] == [2, 2, 2, 1]


async def test_the_condition_keys_of_policies(iam: Api, alice: str) -> None:
    conditions = {"StringEquals": {"aws:RequestedRegion": "${aws:PrincipalTag/region}", "ecr:ResourceTag/team": "a"}}
    texts = [policy(statement("Allow", "ecr:*", Condition=conditions)), PULLS]
    found = await iam.get_context_keys_for_custom_policy(PolicyInputList=texts)
    assert found["ContextKeyNames"] == ["aws:principaltag/region", "aws:RequestedRegion", "ecr:ResourceTag/team"]
    assert (await iam.get_context_keys_for_principal_policy(PolicySourceArn=alice))["ContextKeyNames"] == []
    found = await iam.get_context_keys_for_principal_policy(PolicySourceArn=alice, PolicyInputList=texts)
    assert "ecr:ResourceTag/team" in found["ContextKeyNames"]


CUSTOM = {"PolicyInputList": [PULLS], "ActionNames": ["ecr:PutImage"]}


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"PolicyInputList": ["{"]}, "PolicyInputList.1: Syntax errors in policy."),
        ({"ActionNames": ["PutImage"]}, "Invalid action name: PutImage"),
        ({"ActionNames": ["ecr:*"]}, "Invalid action name: ecr:*"),
        ({"CallerArn": "alice"}, "Invalid CallerArn"),
        ({"CallerArn": "arn:aws:sts::123456789012:assumed-role/a/b"}, "Invalid CallerArn"),
        ({"ResourcePolicy": "{}"}, "CallerArn is required"),
        ({"ResourcePolicy": "{}", "CallerArn": "arn:aws:iam::123456789012:user/a"}, "ResourcePolicy: Syntax errors"),
        (
            {"ResourcePolicy": PULLS, "CallerArn": "arn:aws:iam::123456789012:user/a"},
            "ResourcePolicy: Invalid principal",
        ),
        ({"ResourceOwner": "me"}, "Invalid ResourceOwner"),
        ({"PermissionsBoundaryPolicyInputList": [PULLS, PULLS]}, "Only one permissions boundary"),
        ({"ContextEntries": [{"ContextKeyValues": ["a"]}]}, "A context entry must have a name."),
    ],
)
async def test_what_cannot_be_simulated(iam: Api, members: dict[str, Any], complaint: str) -> None:
    refusal = await iam.refused("simulate_custom_policy", **{**CUSTOM, **members})
    assert refusal.code == "InvalidInput"
    assert complaint in refusal.message


async def test_whose_policies_cannot_be_simulated(iam: Api, alice: str) -> None:
    for arn, code in {
        alice.replace("alice", "bob"): "NoSuchEntity",
        alice.replace("/team", ""): "NoSuchEntity",
        "arn:aws:iam::999999999999:user/alice": "AccessDenied",
        f"{alice.split(':user')[0]}:root": "InvalidInput",
        "alice-with-twenty-characters": "InvalidInput",
    }.items():
        refusal = await iam.refused("simulate_principal_policy", PolicySourceArn=arn, ActionNames=["ecr:PutImage"])
        assert refusal.code == code
    for excluded in ({"PolicyArn": "arn:aws:iam::1:policy/**"}, {"PolicyArn": f"{alice}"}):
        refusal = await iam.refused(
            "simulate_principal_policy",
            PolicySourceArn=alice,
            ActionNames=["ecr:PutImage"],
            PolicyExclusionList=[excluded],
        )
        assert refusal.code in {"InvalidInput", "ValidationError"}


async def test_a_user_may_simulate_whom_the_policies_let_them(iam: Api, alice: str, as_key: As) -> None:
    key = (await iam.create_access_key(UserName="alice"))["AccessKey"]
    with as_key("iam", key) as api:
        asked = {"PolicySourceArn": alice, "ActionNames": ["ecr:PutImage"]}
        refusal = await api.refused("simulate_principal_policy", **asked)
        assert refusal.code == "AccessDenied"
        assert f"iam:SimulatePrincipalPolicy on resource: {alice} because no identity-based policy" in refusal.message
        await iam.put_user_policy(
            UserName="alice",
            PolicyName="simulates",
            PolicyDocument=policy(statement("Allow", "iam:SimulatePrincipalPolicy", alice)),
        )
        assert decisions(await api.simulate_principal_policy(**asked)) == {"ecr:PutImage": "allowed"}
