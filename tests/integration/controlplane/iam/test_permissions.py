"""Every operation of IAM, and of STS that is not everybody's, is refused without its action and allowed with it."""

from typing import Any

import pytest

from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.names import Registry
from berth.sealing import Seal
from controlplane.overlays import rules
from controlplane.wire import model
from tests.contract.samples import plain
from tests.identities import Identities, allowing, denying
from tests.integration.controlplane.conftest import CountedPlane, Refusal, api_of

OPERATIONS = [
    (service, name) for service in ("iam", "sts") for name, rule in sorted(rules(service).items()) if not rule.anyone
]


@pytest.fixture
def identities(database: Database, seal: Seal, root_key: AccessKey) -> Identities:
    return Identities(database, seal, root_key.principal.account)


def given(service: str, operation: str, registry: Registry, key: AccessKey) -> dict[str, Any]:
    """The members that it requires, about what is not there."""
    shape = model.service(service).model.operation_model(operation).input_shape
    policy = f"arn:aws:iam::{registry.account}:policy/none"
    about = {
        "AccessKeyId": key.id,
        "AccountAlias": f"alias-{key.id.lower()}",
        "OpenIDConnectProviderArn": f"arn:aws:iam::{registry.account}:oidc-provider/example.com",
        "PermissionsBoundary": policy,
        "PolicyArn": policy,
        "TagKeys": ["team"],
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    required = shape.required_members if shape is not None else []
    return {name: about[name] if name in about else plain(shape.members[name]) for name in required}


async def refusal(
    plane: CountedPlane, registry: Registry, key: AccessKey, service: str, operation: str, **more: Any
) -> Refusal | None:
    """How the call of that key is refused, if it is."""
    with api_of(service, plane.url, key, registry.region) as api:
        names = {name: method for method, name in api.client.meta.method_to_api_mapping.items()}
        members = {**given(service, operation, registry, key), **more}
        try:
            await getattr(api, names[operation])(**members)
        except api.client.exceptions.ClientError as error:
            answer = error.response
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            return Refusal(answer["Error"]["Code"], answer["Error"]["Message"], status, dict(answer))
    return None


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
async def test_every_operation_needs_its_action_and_no_other(
    plane: CountedPlane, registry: Registry, identities: Identities, service: str, operation: str
) -> None:
    action = rules(service)[operation].action
    nobody = await identities.user("nobody")
    answer = await refusal(plane, registry, nobody, service, operation)
    assert answer is not None
    assert (answer.code, answer.status) == ("AccessDenied", 403)
    assert answer.message.startswith(
        f"User: {nobody.principal.arn} is not authorized to perform: {action} on resource: "
    )
    assert answer.message.endswith(f" because no identity-based policy allows the {action} action")
    lacking = await identities.user("lacking", {"Effect": "Allow", "NotAction": action, "Resource": "*"})
    denied = await identities.user("denied", allowing(action), denying(action))
    for key in (lacking, denied):
        answer = await refusal(plane, registry, key, service, operation)
        assert answer is not None
        assert answer.code == "AccessDenied"
    with_it = await identities.user("with-it", allowing(action))
    answer = await refusal(plane, registry, with_it, service, operation)
    assert answer is None or answer.code != "AccessDenied"


async def test_a_user_may_be_let_to_see_to_their_own_keys_alone(
    plane: CountedPlane, registry: Registry, identities: Identities
) -> None:
    """The path of a user is in their ARN, which a policy names by a variable."""
    own = allowing("iam:*AccessKey*", resource=f"arn:aws:iam::{registry.account}:user/people/${{aws:username}}")
    alice = await identities.user("alice", own, path="/people/")
    await identities.user("bob", path="/people/")
    for more in ({}, {"UserName": "alice"}):
        assert await refusal(plane, registry, alice, "iam", "ListAccessKeys", **more) is None
    answer = await refusal(plane, registry, alice, "iam", "ListAccessKeys", UserName="bob")
    assert answer is not None
    assert "on resource: user bob because" in answer.message


@pytest.mark.parametrize(
    ("condition", "more", "allows"),
    [
        ({"StringEquals": {"iam:ResourceTag/team": "a"}}, {"UserName": "tagged"}, True),
        ({"StringEquals": {"aws:ResourceTag/team": "b"}}, {"UserName": "tagged"}, False),
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, {}, True),
        ({"StringEquals": {"aws:RequestTag/team": "b"}}, {}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["other"]}}, {}, False),
    ],
)
async def test_tags_are_looked_at(
    plane: CountedPlane,
    registry: Registry,
    identities: Identities,
    condition: dict[str, Any],
    more: dict[str, Any],
    allows: bool,
) -> None:
    await identities.user("tagged", tags={"team": "a"})
    alice = await identities.user("alice", allowing("iam:TagUser", Condition=condition))
    answer = await refusal(plane, registry, alice, "iam", "TagUser", **more)
    assert (answer is None or answer.code != "AccessDenied") == allows


async def test_only_certain_policies_may_be_attached(
    plane: CountedPlane, registry: Registry, identities: Identities
) -> None:
    only = {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistry*"}}
    alice = await identities.user("alice", allowing("iam:AttachUserPolicy", Condition=only))
    for name, allows in (("AmazonEC2ContainerRegistryReadOnly", True), ("AdministratorAccess", False)):
        arn = f"arn:aws:iam::aws:policy/{name}"
        answer = await refusal(plane, registry, alice, "iam", "AttachUserPolicy", UserName="alice", PolicyArn=arn)
        assert (answer is None) == allows


NONE = "none"


@pytest.mark.parametrize(
    ("operation", "members", "shown"),
    [
        ("GetUser", {"UserName": NONE}, "user none"),
        ("GetUser", {}, "user nobody"),
        ("CreateAccessKey", {"UserName": NONE}, "user none"),
        ("EnableMFADevice", {"UserName": NONE}, "user none"),
        ("GetRole", {"RoleName": NONE}, "role none"),
        ("AttachRolePolicy", {"RoleName": NONE}, "role none"),
        ("GetGroup", {"GroupName": NONE}, "group none"),
        ("GetPolicy", {}, "policy arn:aws:iam::{account}:policy/none"),
        ("CreatePolicy", {"PolicyName": NONE}, "policy none"),
        ("ListPolicies", {}, "policy path /"),
        ("ListPolicies", {"PathPrefix": "/ops/"}, "policy path /ops/"),
        ("GetAccessKeyLastUsed", {}, "access key {key}"),
        ("CreateUser", {"UserName": NONE, "Path": "/ops/"}, "arn:aws:iam::{account}:user/ops/none"),
        ("CreateRole", {"RoleName": NONE}, "arn:aws:iam::{account}:role/none"),
        ("CreateGroup", {"GroupName": NONE}, "arn:aws:iam::{account}:group/none"),
        ("ListUsers", {}, "arn:aws:iam::{account}:user/"),
        ("ListRoles", {"PathPrefix": "/ops/"}, "arn:aws:iam::{account}:role/ops/"),
        ("ListGroups", {}, "arn:aws:iam::{account}:group/"),
        ("CreateVirtualMFADevice", {"VirtualMFADeviceName": NONE}, "arn:aws:iam::{account}:mfa/none"),
        ("ListVirtualMFADevices", {}, "arn:aws:iam::{account}:mfa/"),
        ("GetOpenIDConnectProvider", {}, "arn:aws:iam::{account}:oidc-provider/example.com"),
        ("GetAccountSummary", {}, "*"),
    ],
)
async def test_a_resource_is_called_as_iam_calls_it(
    plane: CountedPlane,
    registry: Registry,
    identities: Identities,
    operation: str,
    members: dict[str, Any],
    shown: str,
) -> None:
    """As recorded answers of IAM have it."""
    key = await identities.user("nobody", denying("iam:GetRole"))
    answer = await refusal(plane, registry, key, "iam", operation, **members)
    assert answer is not None
    ending = (
        "with an explicit deny in an identity-based policy"
        if operation == "GetRole"
        else f"because no identity-based policy allows the iam:{operation} action"
    )
    assert answer.message == (
        f"User: {key.principal.arn} is not authorized to perform: iam:{operation} on resource: "
        f"{shown.format(account=registry.account, key=key.id)} {ending}"
    )


async def test_who_may_list_is_said_by_paths(plane: CountedPlane, registry: Registry, identities: Identities) -> None:
    arn = f"arn:aws:iam::{registry.account}:role/ops/*"
    key = await identities.user("alice", allowing("iam:ListRoles", resource=arn))
    assert await refusal(plane, registry, key, "iam", "ListRoles", PathPrefix="/ops/") is None
    for more in ({}, {"PathPrefix": "/dev/"}):
        answer = await refusal(plane, registry, key, "iam", "ListRoles", **more)
        assert answer is not None
        assert answer.code == "AccessDenied"


async def test_a_key_is_asked_about_by_whose_it_is(
    plane: CountedPlane, registry: Registry, identities: Identities, root_key: AccessKey
) -> None:
    own = allowing("iam:GetAccessKeyLastUsed", resource=f"arn:aws:iam::{registry.account}:user/${{aws:username}}")
    tagged = {"StringEquals": {"iam:ResourceTag/team": "a"}}
    alice = await identities.user("alice", own, allowing("iam:GetAccessKeyLastUsed", Condition=tagged))
    bob, eve = await identities.user("bob", tags={"team": "a"}), await identities.user("eve")
    for key_id, allowed in (
        (alice.id, True),
        (bob.id, True),
        (eve.id, False),
        (root_key.id, False),
        ("AKIAAAAAAAAAAAAAAAAA", False),
    ):
        answer = await refusal(plane, registry, alice, "iam", "GetAccessKeyLastUsed", AccessKeyId=key_id)
        assert (answer is None) == allowed, key_id
        if answer is not None:
            assert f"on resource: access key {key_id} because" in answer.message
