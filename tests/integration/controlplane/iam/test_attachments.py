"""What is attached to whom, inline policies and boundaries, alike for users, groups and roles."""

import asyncio
import json
from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api
from tests.integration.controlplane.iam.documents import padded, policy, trust

Members = dict[str, Any]
KINDS = ("user", "group", "role")
OF_AWS = "arn:aws:iam::aws:policy/"
PULL_ONLY, ADMINISTRATOR = f"{OF_AWS}AmazonEC2ContainerRegistryPullOnly", f"{OF_AWS}AdministratorAccess"
INLINE = {"user": 2048, "group": 5120, "role": 10240}


async def make(iam: Api, kind: str, name: str = "one", **more: Any) -> Members:
    """The identity, and the member that names it."""
    given = {"AssumeRolePolicyDocument": trust()} if kind == "role" else {}
    member = f"{kind.capitalize()}Name"
    await getattr(iam, f"create_{kind}")(**{member: name}, **given, **more)
    return {member: name}


async def own_policy(iam: Api, name: str, **more: Any) -> str:
    arn: str = (await iam.create_policy(PolicyName=name, PolicyDocument=policy(), **more))["Policy"]["Arn"]
    return arn


async def attached(iam: Api, kind: str, **members: Any) -> list[str]:
    found = await getattr(iam, f"list_attached_{kind}_policies")(**members)
    return [each["PolicyName"] for each in found["AttachedPolicies"]]


@pytest.mark.parametrize("kind", KINDS)
async def test_policies_are_attached_and_detached(iam: Api, kind: str) -> None:
    one = await make(iam, kind)
    own = await own_policy(iam, "own", Path="/ci/")
    for arn in (own, PULL_ONLY, own):
        await getattr(iam, f"attach_{kind}_policy")(**one, PolicyArn=arn)
    listing = await getattr(iam, f"list_attached_{kind}_policies")(**one)
    assert listing["AttachedPolicies"] == [
        {"PolicyName": "AmazonEC2ContainerRegistryPullOnly", "PolicyArn": PULL_ONLY},
        {"PolicyName": "own", "PolicyArn": own},
    ]
    assert await attached(iam, kind, **one, PathPrefix="/ci/") == ["own"]
    pages = await iam.pages(f"list_attached_{kind}_policies", **one, PaginationConfig={"PageSize": 1})
    assert [len(page["AttachedPolicies"]) for page in pages] == [1, 1]
    assert (await iam.get_policy(PolicyArn=own))["Policy"]["AttachmentCount"] == 1
    await getattr(iam, f"detach_{kind}_policy")(**one, PolicyArn=own)
    assert await attached(iam, kind, **one) == ["AmazonEC2ContainerRegistryPullOnly"]
    refusal = await iam.refused(f"detach_{kind}_policy", **one, PolicyArn=own)
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert refusal.message == f"Policy {own} was not found."


@pytest.mark.parametrize("kind", KINDS)
async def test_what_cannot_be_attached(iam: Api, registry: Registry, kind: str) -> None:
    one = await make(iam, kind)
    for arn in (f"arn:aws:iam::{registry.account}:policy/none", "arn:aws:iam::999999999999:policy/p", f"{OF_AWS}None"):
        refusal = await iam.refused(f"attach_{kind}_policy", **one, PolicyArn=arn)
        assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
        assert refusal.message == f"Policy {arn} does not exist or is not attachable."
    for operation in ("attach", "detach"):
        refusal = await iam.refused(f"{operation}_{kind}_policy", **one, PolicyArn="AdministratorAccess")
        assert refusal.code == "ValidationError"
        refusal = await iam.refused(f"{operation}_{kind}_policy", **one, PolicyArn="AdministratorAccess....")
        assert (refusal.code, refusal.message) == ("InvalidInput", "ARN AdministratorAccess.... is not valid.")
    arn = f"{OF_AWS}aws-service-role/ECRReplicationServiceRolePolicy"
    refusal = await iam.refused(f"attach_{kind}_policy", **one, PolicyArn=arn)
    assert (refusal.code, refusal.status) == ("PolicyNotAttachable", 400)


@pytest.mark.parametrize("kind", KINDS)
async def test_ten_policies_are_attached_at_most(iam: Api, kind: str) -> None:
    one = await make(iam, kind)
    arns = [await own_policy(iam, f"p{number:02}") for number in range(12)]
    attach = getattr(iam.client, f"attach_{kind}_policy")
    for arn in arns[:9]:
        await asyncio.to_thread(attach, **one, PolicyArn=arn)
    calls = [asyncio.to_thread(attach, **one, PolicyArn=arn) for arn in arns[9:]]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, Exception) for result in results) == 2
    await asyncio.to_thread(attach, **one, PolicyArn=arns[0])
    refusal = await iam.refused(f"attach_{kind}_policy", **one, PolicyArn=PULL_ONLY)
    assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
    assert refusal.message == f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: 10"


async def test_a_policy_does_not_go_while_it_is_attached(iam: Api) -> None:
    one = await make(iam, "role")
    for number in range(8):
        arn = await own_policy(iam, f"p{number}")
        calls = (
            asyncio.to_thread(iam.client.attach_role_policy, **one, PolicyArn=arn),
            asyncio.to_thread(iam.client.delete_policy, PolicyArn=arn),
        )
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(result, Exception) for result in results) == 1, results


@pytest.mark.parametrize("kind", KINDS)
async def test_inline_policies_live(iam: Api, kind: str) -> None:
    one = await make(iam, kind)
    # Documents come back as they were given, whatever they have in them.
    document = policy("ecr:*", Sid="x", Condition={"StringEquals": {"aws:PrincipalTag/a b": "ü+/%&"}})
    for name in ("b", "a", "C"):
        await getattr(iam, f"put_{kind}_policy")(**one, PolicyName=name, PolicyDocument=policy())
    await getattr(iam, f"put_{kind}_policy")(**one, PolicyName="b", PolicyDocument=document)
    found = await getattr(iam, f"get_{kind}_policy")(**one, PolicyName="b")
    assert found == {**one, "PolicyName": "b", "PolicyDocument": json.loads(document)}
    pages = await iam.pages(f"list_{kind}_policies", **one, PaginationConfig={"PageSize": 2})
    assert [page["PolicyNames"] for page in pages] == [["C", "a"], ["b"]]
    await getattr(iam, f"delete_{kind}_policy")(**one, PolicyName="b")
    for operation in ("get", "delete"):
        refusal = await iam.refused(f"{operation}_{kind}_policy", **one, PolicyName="b")
        assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
        assert refusal.message == f"The {kind} policy with name b cannot be found."


@pytest.mark.parametrize("kind", KINDS)
async def test_inline_policies_are_short_together(iam: Api, kind: str) -> None:
    one = await make(iam, kind)
    put, most = getattr(iam, f"put_{kind}_policy"), INLINE[kind]
    await put(**one, PolicyName="a", PolicyDocument=padded(most - 1000, policy()))
    await put(**one, PolicyName="b", PolicyDocument=padded(1000, policy()))
    for name, size in (("b", 1001), ("c", 200)):
        document = padded(size, policy())
        refusal = await iam.refused(f"put_{kind}_policy", **one, PolicyName=name, PolicyDocument=document)
        assert (refusal.code, refusal.status) == ("LimitExceeded", 409)
        assert refusal.message == f"Maximum policy size of {most} bytes exceeded for {kind} one"
    await put(**one, PolicyName="b", PolicyDocument=padded(1000, policy()))


async def test_an_inline_policy_that_is_none(iam: Api) -> None:
    one = await make(iam, "user")
    refusal = await iam.refused("put_user_policy", **one, PolicyName="p", PolicyDocument="{}")
    assert (refusal.code, refusal.message) == ("MalformedPolicyDocument", "Syntax errors in policy.")
    refusal = await iam.refused("put_user_policy", **one, PolicyName="p/q", PolicyDocument=policy())
    assert (refusal.code, refusal.status) == ("ValidationError", 400)


@pytest.mark.parametrize("kind", ["user", "role"])
async def test_a_boundary_is_put_and_taken_away(iam: Api, registry: Registry, kind: str) -> None:
    one = await make(iam, kind)
    own = await own_policy(iam, "limit")

    async def boundary() -> Members | None:
        told = (await getattr(iam, f"get_{kind}")(**one))[kind.capitalize()]
        found: Members | None = told.get("PermissionsBoundary")
        return found

    assert await boundary() is None
    for arn in (own, ADMINISTRATOR):
        await getattr(iam, f"put_{kind}_permissions_boundary")(**one, PermissionsBoundary=arn)
        assert await boundary() == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    assert (await iam.get_policy(PolicyArn=own))["Policy"]["PermissionsBoundaryUsageCount"] == 0
    assert (await iam.get_policy(PolicyArn=ADMINISTRATOR))["Policy"]["PermissionsBoundaryUsageCount"] == 1
    for _ in range(2):
        await getattr(iam, f"delete_{kind}_permissions_boundary")(**one)
        assert await boundary() is None
    lacking = f"arn:aws:iam::{registry.account}:policy/none"
    refusal = await iam.refused(f"put_{kind}_permissions_boundary", **one, PermissionsBoundary=lacking)
    assert (refusal.code, refusal.message) == (
        "NoSuchEntity",
        f"Policy {lacking} does not exist or is not attachable.",
    )
    refusal = await iam.refused(f"put_{kind}_permissions_boundary", **one, PermissionsBoundary="x" * 20)
    assert (refusal.code, refusal.message) == ("InvalidInput", f"ARN {'x' * 20} is not valid.")
    linked = f"{OF_AWS}aws-service-role/ECRReplicationServiceRolePolicy"
    refusal = await iam.refused(f"put_{kind}_permissions_boundary", **one, PermissionsBoundary=linked)
    assert refusal.code == "PolicyNotAttachable"


async def test_who_is_made_with_a_boundary_has_it(iam: Api, registry: Registry) -> None:
    own = await own_policy(iam, "limit")
    told = (await iam.create_user(UserName="bob", PermissionsBoundary=own))["User"]
    assert told["PermissionsBoundary"]["PermissionsBoundaryArn"] == own
    assert (await iam.get_user(UserName="bob"))["User"]["PermissionsBoundary"] == told["PermissionsBoundary"]
    lacking = f"arn:aws:iam::{registry.account}:policy/none"
    refusal = await iam.refused("create_user", UserName="eve", PermissionsBoundary=lacking)
    assert (refusal.code, refusal.status) == ("NoSuchEntity", 404)
    assert [user["UserName"] for user in (await iam.list_users())["Users"]] == ["bob"]


async def test_who_has_a_policy_is_told_by_kind_path_and_use(iam: Api) -> None:
    own = await own_policy(iam, "own")
    for kind in KINDS:
        for name, path in (("b", "/x/"), ("A", "/")):
            one = await make(iam, kind, name, Path=path)
            await getattr(iam, f"attach_{kind}_policy")(**one, PolicyArn=own)
    await iam.create_user(UserName="c", PermissionsBoundary=own)

    async def told(**members: Any) -> dict[str, list[str]]:
        found = await iam.list_entities_for_policy(PolicyArn=own, **members)
        return {kind: [each[f"{kind}Name"] for each in found[f"Policy{kind}s"]] for kind in ("User", "Group", "Role")}

    assert await told() == {"User": ["A", "b", "c"], "Group": ["A", "b"], "Role": ["A", "b"]}
    assert await told(EntityFilter="Role") == {"User": [], "Group": [], "Role": ["A", "b"]}
    assert await told(EntityFilter="LocalManagedPolicy") == {"User": [], "Group": [], "Role": []}
    assert await told(PathPrefix="/x/") == {"User": ["b"], "Group": ["b"], "Role": ["b"]}
    assert await told(PolicyUsageFilter="PermissionsBoundary") == {"User": ["c"], "Group": [], "Role": []}
    assert (await told(PolicyUsageFilter="PermissionsPolicy"))["User"] == ["A", "b"]
    pages = await iam.pages("list_entities_for_policy", PolicyArn=own, PaginationConfig={"PageSize": 2})
    assert [len(page["PolicyUsers"] + page["PolicyGroups"] + page["PolicyRoles"]) for page in pages] == [2, 2, 2, 1]
    ids = {each["UserId"][:4] for page in pages for each in page["PolicyUsers"]}
    assert ids == {"AIDA"}
