"""`aws iam`: a role's life, a policy's with its versions, what is attached to whom, a provider of OpenID Connect."""

import json
import uuid
from collections.abc import Iterator

import pytest

from .aws_cli import AwsCli
from .cli_calls import Call
from .shell import Shell
from .test_aws_cli import check
from .test_iam_cli import ACCOUNT

pytestmark = pytest.mark.clients("aws")

PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
}
FILES = {"policy.json": POLICY, "trust.json": TRUST}
ROLES = (
    Call(
        "create-role --role-name $role --path /ci/ --tags Key=a,Value=b "
        "--assume-role-policy-document file://trust.json",
        {
            "Role.Arn": f"arn:aws:iam::{ACCOUNT}:role/ci/$role",
            "Role.AssumeRolePolicyDocument.Statement[0].Principal.AWS": ACCOUNT,
        },
        {"role_id": "Role.RoleId"},
    ),
    Call(
        "create-role --role-name $role --assume-role-policy-document file://trust.json", refused="EntityAlreadyExists"
    ),
    Call(
        "create-role --role-name x --assume-role-policy-document file://policy.json", refused="MalformedPolicyDocument"
    ),
    Call("wait role-exists --role-name $role"),
    Call("update-role --role-name $role --description pulls --max-session-duration 7200"),
    Call("update-assume-role-policy --role-name $role --policy-document file://trust.json"),
    Call("get-role --role-name $role", {"Role.RoleId": "$role_id", "Role.Description": "pulls"}),
    Call("list-roles --path-prefix /ci/", {"Roles[?RoleName=='$role'].MaxSessionDuration": [7200]}),
    Call("tag-role --role-name $role --tags Key=c,Value=d"),
    Call("untag-role --role-name $role --tag-keys a"),
    Call("list-role-tags --role-name $role", {"Tags": [{"Key": "c", "Value": "d"}]}),
)
POLICIES = (
    Call(
        "create-policy --policy-name $policy --description d --policy-document file://policy.json",
        {"Policy.DefaultVersionId": "v1"},
        {"arn": "Policy.Arn"},
    ),
    Call("wait policy-exists --policy-arn $arn"),
    Call("create-policy-version --policy-arn $arn --policy-document file://policy.json --set-as-default"),
    Call("get-policy --policy-arn $arn", {"Policy.DefaultVersionId": "v2", "Policy.Description": "d"}),
    Call(
        "get-policy-version --policy-arn $arn --version-id v1",
        {"PolicyVersion.Document.Statement[0].Action": "ecr:*"},
    ),
    Call("list-policy-versions --policy-arn $arn", {"Versions[].VersionId": ["v2", "v1"]}),
    Call("list-policies --scope Local", {"Policies[?Arn=='$arn'].AttachmentCount": [0]}),
    Call("list-policies --scope AWS", {f"Policies[?Arn=='{PULL_ONLY}'].DefaultVersionId": ["v1"]}),
)
ATTACHMENTS = (
    Call("attach-role-policy --role-name $role --policy-arn $arn"),
    Call(f"attach-role-policy --role-name $role --policy-arn {PULL_ONLY}"),
    Call("list-attached-role-policies --role-name $role", {"length(AttachedPolicies)": 2}),
    Call("put-role-policy --role-name $role --policy-name p --policy-document file://policy.json"),
    Call(
        "get-role-policy --role-name $role --policy-name p",
        {"PolicyDocument.Statement[0].Action": "ecr:*"},
    ),
    Call("list-role-policies --role-name $role", {"PolicyNames": ["p"]}),
    Call("put-role-permissions-boundary --role-name $role --permissions-boundary $arn"),
    Call("get-role --role-name $role", {"Role.PermissionsBoundary.PermissionsBoundaryArn": "$arn"}),
    Call("list-entities-for-policy --policy-arn $arn", {"PolicyRoles[].RoleName": ["$role"]}),
    Call(
        "get-account-authorization-details --filter Role", {"RoleDetailList[?RoleName=='$role'].RoleId": ["$role_id"]}
    ),
)
PROVIDERS = (
    Call(
        "create-open-id-connect-provider --url https://$host --client-id-list sts.amazonaws.com",
        {"OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/$host"},
        {"provider": "OpenIDConnectProviderArn"},
    ),
    Call("add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn $provider --client-id b"),
    Call(
        "get-open-id-connect-provider --open-id-connect-provider-arn $provider",
        {"ClientIDList": ["sts.amazonaws.com", "b"], "Url": "$host"},
    ),
    Call("delete-open-id-connect-provider --open-id-connect-provider-arn $provider"),
)
REMOVAL = (
    Call("delete-policy --policy-arn $arn", refused="DeleteConflict"),
    Call("delete-role --role-name $role", refused="DeleteConflict"),
    Call("detach-role-policy --role-name $role --policy-arn $arn"),
    Call(f"detach-role-policy --role-name $role --policy-arn {PULL_ONLY}"),
    Call("delete-role-policy --role-name $role --policy-name p"),
    Call("delete-role-permissions-boundary --role-name $role"),
    Call("delete-role --role-name $role"),
    Call("delete-policy-version --policy-arn $arn --version-id v1"),
    Call("delete-policy --policy-arn $arn"),
    Call("get-policy --policy-arn $arn", refused="NoSuchEntity"),
    Call("get-role --role-name $role", refused="NoSuchEntity"),
)


@pytest.fixture
def iam(shell: Shell) -> Iterator[AwsCli]:
    for name, document in FILES.items():
        (shell.folder / name).write_text(json.dumps(document))
    with AwsCli(shell, "iam") as cli:
        yield cli


def test_the_life_of_a_role_and_its_policies(iam: AwsCli) -> None:
    unique = uuid.uuid4().hex[:8]
    names = {"role": f"r-{unique}", "policy": f"p-{unique}", "host": f"{unique}.example.com"}
    wrong = []
    for call in (*ROLES, *POLICIES, *ATTACHMENTS, *PROVIDERS, *REMOVAL):
        wrong += [f"{call.words}: {reason}" for reason in check(iam, call, names)]
    assert wrong == []
