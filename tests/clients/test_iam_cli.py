"""`aws iam`: a user's life, a group's, and what the CLI says of what is refused."""

import uuid
from collections.abc import Iterator

import pytest

from .aws_cli import AwsCli
from .cli_calls import Call
from .shell import Shell
from .test_aws_cli import check

pytestmark = pytest.mark.clients("aws")

ACCOUNT = "000000000000"  # Berth's own where BERTH_ACCOUNT_ID is not set

USERS = (
    Call("get-user", {"User.Arn": f"arn:aws:iam::{ACCOUNT}:root"}),
    Call(
        "create-user --user-name $user --path /ops/ --tags Key=team,Value=a",
        {"User.Arn": f"arn:aws:iam::{ACCOUNT}:user/ops/$user", "User.Tags[0].Value": "a"},
        {"user_id": "User.UserId"},
    ),
    Call("create-user --user-name $user", refused="EntityAlreadyExists"),
    Call("wait user-exists --user-name $user"),
    Call("get-user --user-name $user", {"User.UserId": "$user_id"}),
    Call("list-users --path-prefix /ops/", {"Users[?UserName=='$user'].UserId | [0]": "$user_id"}),
    Call("tag-user --user-name $user --tags Key=Team,Value=b Key=x,Value="),
    Call("untag-user --user-name $user --tag-keys x"),
    Call("list-user-tags --user-name $user", {"Tags": [{"Key": "Team", "Value": "b"}]}),
    Call("update-user --user-name $user --new-path /dev/"),
    Call("get-user --user-name $user", {"User.Path": "/dev/"}),
)
KEYS = (
    Call(
        "create-access-key --user-name $user",
        {"AccessKey.Status": "Active", "length(AccessKey.SecretAccessKey)": 40},
        {"key": "AccessKey.AccessKeyId"},
    ),
    Call("list-access-keys --user-name $user", {"AccessKeyMetadata[].AccessKeyId": ["$key"]}),
    Call("get-access-key-last-used --access-key-id $key", {"AccessKeyLastUsed.ServiceName": "N/A"}),
    Call("update-access-key --user-name $user --access-key-id $key --status Inactive"),
    Call("list-access-keys --user-name $user", {"AccessKeyMetadata[].Status": ["Inactive"]}),
)
GROUPS = (
    Call("create-group --group-name $group", {"Group.Arn": f"arn:aws:iam::{ACCOUNT}:group/$group"}),
    Call("add-user-to-group --group-name $group --user-name $user"),
    Call("get-group --group-name $group", {"Users[].UserName": ["$user"]}),
    Call("list-groups-for-user --user-name $user", {"Groups[].GroupName": ["$group"]}),
    Call("update-group --group-name $group --new-path /dev/"),
    Call("list-groups --path-prefix /dev/", {"Groups[?GroupName=='$group'].Path": ["/dev/"]}),
    Call("delete-group --group-name $group", refused="DeleteConflict"),
)
NOTHING = (
    Call("get-account-summary", {"SummaryMap.UsersQuota": 5000}),
    Call("list-account-aliases", {"AccountAliases": []}),
    Call("list-mfa-devices --user-name $user", {"MFADevices": []}),
    Call("list-signing-certificates --user-name $user", {"Certificates": []}),
    Call("list-ssh-public-keys --user-name $user", {"SSHPublicKeys": []}),
    Call("list-service-specific-credentials --user-name $user", {"ServiceSpecificCredentials": []}),
    Call("list-virtual-mfa-devices", {"VirtualMFADevices": []}),
    Call("list-server-certificates", {"ServerCertificateMetadataList": []}),
    Call("list-instance-profiles", {"InstanceProfiles": []}),
    Call("list-saml-providers", {"SAMLProviderList": []}),
    Call("list-instance-profiles-for-role --role-name $user", refused="NoSuchEntity"),
    Call("get-login-profile --user-name $user", refused="NoSuchEntity"),
    Call("delete-login-profile --user-name $user", refused="NoSuchEntity"),
    Call("get-account-password-policy", refused="NoSuchEntity"),
    Call("create-login-profile --user-name $user --password x", refused="ValidationError"),
)
REMOVAL = (
    Call("delete-user --user-name $user", refused="DeleteConflict"),
    Call("delete-access-key --user-name $user --access-key-id $key"),
    Call("remove-user-from-group --group-name $group --user-name $user"),
    Call("delete-user --user-name $user"),
    Call("delete-group --group-name $group"),
    Call("get-user --user-name $user", refused="NoSuchEntity"),
    Call("get-group --group-name $group", refused="NoSuchEntity"),
)


@pytest.fixture
def iam(shell: Shell) -> Iterator[AwsCli]:
    with AwsCli(shell, "iam") as cli:
        yield cli


def test_the_life_of_a_user_and_a_group(iam: AwsCli) -> None:
    names = {"user": f"u-{uuid.uuid4().hex[:8]}", "group": f"g-{uuid.uuid4().hex[:8]}"}
    wrong = []
    for call in (*USERS, *KEYS, *GROUPS, *NOTHING, *REMOVAL):
        wrong += [f"{call.words}: {reason}" for reason in check(iam, call, names)]
    assert wrong == []


def test_the_cli_pages_through_a_list(iam: AwsCli) -> None:
    prefix = f"/{uuid.uuid4().hex}/"
    users = [f"p{number}-{uuid.uuid4().hex[:8]}" for number in range(5)]
    for user in users:
        assert iam("create-user", "--user-name", user, "--path", prefix).status == 0
    said = iam("list-users", "--path-prefix", prefix, "--page-size", "2", "--query", "Users[].UserName")
    assert said.answer == users
    some = iam("list-users", "--path-prefix", prefix, "--max-items", "3").answer
    rest = iam("list-users", "--path-prefix", prefix, "--starting-token", some["NextToken"]).answer
    assert [user["UserName"] for user in some["Users"] + rest["Users"]] == users
    for user in users:
        assert iam("delete-user", "--user-name", user).status == 0


def test_a_users_key_says_who_it_is_until_it_is_inactive(shell: Shell, iam: AwsCli) -> None:
    user = f"u-{uuid.uuid4().hex[:8]}"
    assert iam("create-user", "--user-name", user).status == 0
    key = iam("create-access-key", "--user-name", user).answer["AccessKey"]
    hers = shell.having(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])
    with AwsCli(hers, "sts") as sts:
        assert sts("get-caller-identity").answer["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{user}"
        iam("update-access-key", "--user-name", user, "--access-key-id", key["AccessKeyId"], "--status", "Inactive")
        assert "(InvalidClientTokenId)" in sts("get-caller-identity").err
        iam("update-access-key", "--user-name", user, "--access-key-id", key["AccessKeyId"], "--status", "Active")
        assert sts("get-caller-identity").status == 0
        iam("delete-access-key", "--user-name", user, "--access-key-id", key["AccessKeyId"])
        assert "(InvalidClientTokenId)" in sts("get-caller-identity").err
    assert iam("delete-user", "--user-name", user).status == 0


@pytest.mark.parametrize("region", ["eu-central-1", "ap-southeast-2"])
def test_iam_is_one_for_all_regions(shell: Shell, region: str) -> None:
    elsewhere = shell.having(AWS_REGION=region, AWS_DEFAULT_REGION=region)
    with AwsCli(elsewhere, "iam") as iam:
        assert iam("get-user").answer["User"]["UserId"] == ACCOUNT
