"""How many statements roles, policies and providers take; of those about one of them, one is asked to authorize it."""

from typing import Any

import pytest

from berth.names import Registry
from tests.integration.controlplane.conftest import Api, CountedPlane
from tests.integration.controlplane.iam.documents import policy, trust

Members = dict[str, Any]
BOB, ROLE = {"UserName": "bob"}, {"RoleName": "r"}
OWN, PROVIDER = "arn:aws:iam::{account}:policy/p", "arn:aws:iam::{account}:oidc-provider/a.com"
OF_AWS = "arn:aws:iam::aws:policy/AdministratorAccess"
DOCUMENT = {"PolicyDocument": policy()}


@pytest.mark.parametrize(
    ("operation", "members", "number"),
    [
        ("create_role", {"RoleName": "new", "AssumeRolePolicyDocument": trust()}, 4),
        ("create_role", {"RoleName": "new", "AssumeRolePolicyDocument": trust(AWS=f"{OWN[:-9]}:user/bob")}, 5),
        ("get_role", ROLE, 2),
        ("list_roles", {}, 1),
        ("update_role", {**ROLE, "Description": "x"}, 4),
        ("update_assume_role_policy", {**ROLE, "PolicyDocument": trust()}, 4),
        ("delete_role", ROLE, 6),
        ("create_policy", {"PolicyName": "new", **DOCUMENT}, 4),
        ("get_policy", {"PolicyArn": OWN}, 2),
        ("get_policy", {"PolicyArn": OF_AWS}, 2),
        ("list_policies", {}, 2),
        ("list_policies", {"Scope": "Local"}, 1),
        ("create_policy_version", {"PolicyArn": OWN, **DOCUMENT}, 5),
        ("get_policy_version", {"PolicyArn": OWN, "VersionId": "v1"}, 3),
        ("list_policy_versions", {"PolicyArn": OWN}, 3),
        ("set_default_policy_version", {"PolicyArn": OWN, "VersionId": "v1"}, 5),
        ("tag_policy", {"PolicyArn": OWN, "Tags": [{"Key": "a", "Value": "b"}]}, 3),
        ("delete_policy", {"PolicyArn": OWN}, 5),
        ("list_entities_for_policy", {"PolicyArn": OWN}, 3),
        ("attach_user_policy", {**BOB, "PolicyArn": OWN}, 6),
        ("attach_user_policy", {**BOB, "PolicyArn": OF_AWS}, 5),
        ("list_attached_user_policies", BOB, 3),
        ("put_user_policy", {**BOB, "PolicyName": "new", **DOCUMENT}, 5),
        ("get_role_policy", {**ROLE, "PolicyName": "inline"}, 3),
        ("list_user_policies", BOB, 3),
        ("put_user_permissions_boundary", {**BOB, "PermissionsBoundary": OWN}, 5),
        ("delete_user_permissions_boundary", BOB, 4),
        ("create_open_id_connect_provider", {"Url": "https://b.com"}, 3),
        ("get_open_id_connect_provider", {"OpenIDConnectProviderArn": PROVIDER}, 2),
        ("list_open_id_connect_providers", {}, 1),
        ("add_client_id_to_open_id_connect_provider", {"OpenIDConnectProviderArn": PROVIDER, "ClientID": "a"}, 3),
        ("delete_open_id_connect_provider", {"OpenIDConnectProviderArn": PROVIDER}, 2),
    ],
)
async def test_an_operation_sends_so_many_statements(
    iam: Api, plane: CountedPlane, registry: Registry, operation: str, members: Members, number: int
) -> None:
    await iam.create_user(**BOB)
    await iam.create_role(**ROLE, AssumeRolePolicyDocument=trust())
    if operation != "delete_role":
        await iam.put_role_policy(**ROLE, PolicyName="inline", **DOCUMENT)
    await iam.create_policy(PolicyName="p", **DOCUMENT)
    await iam.create_open_id_connect_provider(Url="https://a.com")
    given = {
        name: value.replace("{account}", registry.account) if isinstance(value, str) else value
        for name, value in members.items()
    }
    with plane.counting() as statements:
        await getattr(iam, operation)(**given)
    assert len(statements) == number, "\n".join(statements)
