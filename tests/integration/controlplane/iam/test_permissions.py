"""Every operation of IAM, and of STS that is not everybody's, is refused without its action and allowed with it."""

from typing import Any

import pytest

from berth.database.db import Database
from berth.identity.access_keys import AccessKey
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
