"""AssumeRoleWithWebIdentity against a real OpenID Connect server, with the claims that well-known ones give."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import boto3
import botocore
import botocore.config
import pytest
from aiohttp import web
from botocore.session import Session as BotocoreSession
from joserfc import jwt
from joserfc.jwk import OctKey

import controlplane.app
import listener
from berth.database.db import Database
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.sts import identity_tokens, provider_keys
from berth.identity.sts.identity_tokens import IdentityToken
from berth.names import Registry
from berth.settings import Settings
from tests.integration.controlplane.conftest import Api, api_of
from tests.integration.controlplane.sts.conftest import ANYTHING, Account
from tests.oidc_server import OidcServer, ec_key, rsa_key, running_oidc

AUDIENCE = "sts.amazonaws.com"
Stranger = Callable[[], AbstractContextManager[Api]]


@pytest.fixture
async def oidc(tmp_path: Path) -> AsyncIterator[OidcServer]:
    async with running_oidc(tmp_path) as server:
        yield server


@pytest.fixture
async def trusting_plane(settings: Settings, oidc: OidcServer) -> AsyncIterator[str]:
    """The URL of a control plane that may ask the test's provider."""
    networks = (ip_network("127.0.0.0/8"), ip_network("::1"))
    here = settings.model_copy(update={"allowed_networks": networks, "outgoing_ca": oidc.authority})
    async with listener.listening(controlplane.app.make_app, here, "localhost:0") as address:
        yield f"http://{address}"


@pytest.fixture
def stranger(trusting_plane: str, registry: Registry) -> Stranger:
    """STS as someone without any access key."""

    @contextlib.contextmanager
    def calling() -> Iterator[Api]:
        config = botocore.config.Config(
            signature_version=botocore.UNSIGNED, retries={"max_attempts": 0}, parameter_validation=False
        )
        client = boto3.client("sts", endpoint_url=trusting_plane, region_name=registry.region, config=config)
        try:
            yield Api(client)
        finally:
            client.close()

    return calling


@pytest.fixture
async def provider(account: Account, oidc: OidcServer) -> str:
    """The ARN of the test's provider in the test's account."""
    made = await account.iam.create_open_id_connect_provider(Url=oidc.issuer, ClientIDList=[AUDIENCE])
    arn: str = made["OpenIDConnectProviderArn"]
    return arn


def trusting(provider: str, *more: str, **conditions: Any) -> str:
    actions = ["sts:AssumeRoleWithWebIdentity", *more]
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": actions}
    return json.dumps({"Version": "2012-10-17", "Statement": {**statement, "Condition": conditions}})


async def assumed(stranger: Stranger, role: str, token: str, **more: Any) -> dict[str, Any]:
    with stranger() as sts:
        return await sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="job-7", WebIdentityToken=token, **more
        )


async def refusal(stranger: Stranger, role: str, token: str, **more: Any) -> tuple[str, str, int]:
    with stranger() as sts:
        found = await sts.refused(
            "assume_role_with_web_identity", RoleArn=role, RoleSessionName="job-7", WebIdentityToken=token, **more
        )
        return found.code, found.message, found.status


NOT_AUTHORIZED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)

# As the documentation of each has them; `{}` is where the issuer's URL goes.
GITHUB = {
    "sub": "repo:octo-org/octo-repo:ref:refs/heads/main",
    "aud": AUDIENCE,
    "jti": "6a2d0f2e-1d0f-4c43-9f2a-3f0a2ad5d4ff",
    "ref": "refs/heads/main",
    "sha": "9f0a",
    "repository": "octo-org/octo-repo",
    "repository_owner": "octo-org",
    "repository_id": "74",
    "run_attempt": "2",
    "actor": "octocat",
    "workflow": "release",
    "event_name": "push",
    "ref_type": "branch",
    "environment": "prod",
    "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    "runner_environment": "github-hosted",
}
GITLAB = {
    "sub": "project_path:mygroup/myproject:ref_type:branch:ref:main",
    "aud": AUDIENCE,
    "namespace_id": "72",
    "namespace_path": "mygroup",
    "project_id": "20",
    "project_path": "mygroup/myproject",
    "user_login": "sample-user",
    "user_identities": [{"provider": "github", "extern_uid": "2435223452345"}],
    "pipeline_id": "574",
    "ref": "main",
    "ref_type": "branch",
    "ref_protected": "true",
    "groups_direct": ["mygroup/mysubgroup", "myothergroup/myothersubgroup"],
}
CIRCLECI = {
    "sub": "org/1d4b/project/7e2f/user/0c1a",
    "aud": AUDIENCE,
    "oidc.circleci.com/context-ids": ["4b6e", "88aa"],
    "oidc.circleci.com/project-id": "7e2f",
    "oidc.circleci.com/ssh-rerun": False,
    "oidc.circleci.com/vcs-origin": "github.com/octo-org/octo-repo",
}
KUBERNETES = {
    "sub": "system:serviceaccount:builds:pusher",
    "aud": [AUDIENCE],
    "jti": "aed34954",
    "kubernetes.io": {
        "namespace": "builds",
        "node": {"name": "node-1", "uid": "646e7c5e"},
        "pod": {"name": "build-1", "uid": "a44e"},
        "serviceaccount": {"name": "pusher", "uid": "14ee"},
        "warnafter": 1700000000,
    },
}


@pytest.mark.parametrize(
    ("claims", "operator", "conditions", "strange"),
    [
        (
            GITHUB,
            "StringLike",
            {"sub": "repo:octo-org/octo-repo:*", "environment": "prod"},
            {"sub": "repo:evil/octo-repo:ref:refs/heads/main"},
        ),
        (
            GITHUB,
            "StringEquals",
            {"aud": AUDIENCE, "job_workflow_ref": GITHUB["job_workflow_ref"]},
            {"job_workflow_ref": "octo-org/other/.github/workflows/oidc.yml@refs/heads/main"},
        ),
        (
            GITLAB,
            "StringEquals",
            {"sub": GITLAB["sub"], "ref_protected": "true"},
            {"sub": "project_path:mygroup/myproject:ref_type:branch:ref:dev"},
        ),
        (GITLAB, "ForAnyValue:StringEquals", {"groups_direct": "mygroup/mysubgroup"}, {"groups_direct": ["other"]}),
        (
            CIRCLECI,
            "StringEquals",
            {"oidc.circleci.com/project-id": "7e2f", "oidc.circleci.com/ssh-rerun": "false"},
            {"oidc.circleci.com/ssh-rerun": True},
        ),
        (
            KUBERNETES,
            "StringEquals",
            {"aud": AUDIENCE, "sub": KUBERNETES["sub"], "kubernetes.io/namespace": "builds"},
            {"sub": "system:serviceaccount:default:pusher"},
        ),
    ],
)
async def test_the_claims_of_a_token_decide(
    account: Account,
    oidc: OidcServer,
    provider: str,
    stranger: Stranger,
    claims: dict[str, Any],
    operator: str,
    conditions: dict[str, str],
    strange: dict[str, Any],
) -> None:
    keys = {f"{oidc.host}:{name}": value for name, value in conditions.items()}
    role = await account.role(trusting(provider, **{operator: keys}))
    answer = await assumed(stranger, role.arn, oidc.token(claims))
    assert (answer["Provider"], answer["Audience"]) == (provider, AUDIENCE)
    assert answer["SubjectFromWebIdentityToken"] == claims["sub"]
    arn = f"arn:aws:sts::{account.id}:assumed-role/deployer/job-7"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role.id}:job-7", "Arn": arn}
    assert await refusal(stranger, role.arn, oidc.token({**claims, **strange})) == NOT_AUTHORIZED


async def test_the_session_may_do_what_the_role_may(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger, trusting_plane: str, registry: Registry
) -> None:
    role = await account.role(trusting(provider), policy=ANYTHING)
    given = (await assumed(stranger, role.arn, oidc.token(GITHUB), DurationSeconds=900))["Credentials"]
    client = boto3.client(
        "ecr",
        endpoint_url=trusting_plane,
        region_name=registry.region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    try:
        ecr = Api(client)
        await ecr.create_repository(repositoryName="team/app")
        (data,) = (await ecr.get_authorization_token())["authorizationData"]
        assert data["expiresAt"] == given["Expiration"]
    finally:
        client.close()


async def test_tokens_that_are_not_good_are_refused(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger
) -> None:
    role = await account.role(trusting(provider))
    now = int(time.time())
    unsigned = ".".join(_part(part) for part in ({"alg": "none"}, {"iss": oidc.issuer, **GITHUB, "exp": now + 60}))
    shared = jwt.encode(
        {"alg": "HS256", "kid": "first"},
        {"iss": oidc.issuer, **GITHUB, "exp": now + 60},
        OctKey.import_key("a secret that is public" * 2),
    )
    other = rsa_key("first")
    elsewhere = "https://tokens.example.com"
    no_provider = f"No OpenIDConnect provider found in your account for {elsewhere}"
    cases = [
        ("no token", "InvalidIdentityToken", "is not a valid JWT"),
        (f"{unsigned}.", "InvalidIdentityToken", "is not a valid JWT"),
        (shared, "InvalidIdentityToken", "is not a valid JWT"),
        (oidc.token(GITHUB, other), "InvalidIdentityToken", "signature of the ID Token provided is not valid"),
        (oidc.token(GITHUB, ec_key("first")), "InvalidIdentityToken", "signature of the ID Token"),
        (oidc.token({**GITHUB, "iss": elsewhere}), "InvalidIdentityToken", no_provider),
        (oidc.token({**GITHUB, "iss": None}), "InvalidIdentityToken", "Missing a required claim: iss"),
        (oidc.token({**GITHUB, "sub": None}), "InvalidIdentityToken", "Missing a required claim: sub"),
        (oidc.token({**GITHUB, "exp": None}), "InvalidIdentityToken", "Missing a required claim: exp"),
        (oidc.token({**GITHUB, "aud": None}), "InvalidIdentityToken", "Missing a required claim: aud"),
        (oidc.token({**GITHUB, "aud": "https://github.com/octo-org"}), "InvalidIdentityToken", "Incorrect token aud"),
        (oidc.token({**GITHUB, "azp": "another"}), "InvalidIdentityToken", "Incorrect token audience"),
        (oidc.token({**GITHUB, "exp": now - 1}), "ExpiredTokenException", "Token expired: current date/time "),
        (oidc.token({**GITHUB, "nbf": now + 900}), "IDPRejectedClaim", "nbf of the ID Token provided is in the future"),
        (oidc.token(GITHUB, kid="unknown"), "InvalidIdentityToken", "Couldn't retrieve verification key"),
    ]
    for token, code, text in cases:
        found = await refusal(stranger, role.arn, token)
        assert found[0] == code, found
        assert text in found[1]
    await assumed(stranger, role.arn, oidc.token(GITHUB))


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_provider_of_another_account_counts_for_nothing(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger
) -> None:
    token = oidc.token(GITHUB)
    found = await refusal(stranger, "arn:aws:iam::999999999999:role/deployer", token)
    assert found[1] == f"No OpenIDConnect provider found in your account for {oidc.issuer}"
    assert await refusal(stranger, f"arn:aws:iam::{account.id}:role/missing", token) == NOT_AUTHORIZED
    assert (await refusal(stranger, "arn:aws:iam::999999999999:user/deployer", token))[0] == "ValidationError"
    trusts_user = await account.role(account.everybody())
    assert await refusal(stranger, trusts_user.arn, token) == NOT_AUTHORIZED


async def test_keys_are_remembered_and_may_be_rotated(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = await account.role(trusting(provider))
    for _ in range(3):
        await assumed(stranger, role.arn, oidc.token(GITHUB))
    assert oidc.asked == {"/.well-known/openid-configuration": 1, "/keys": 1}
    oidc.keys.insert(0, ec_key("second"))
    # Whoever invents ids of keys does not make Berth ask each time.
    assert (await refusal(stranger, role.arn, oidc.token(GITHUB)))[0] == "InvalidIdentityToken"
    assert oidc.asked["/keys"] == 1
    monkeypatch.setattr(provider_keys, "LOOK_SECONDS", 0.0)
    await assumed(stranger, role.arn, oidc.token(GITHUB))
    assert oidc.asked["/keys"] == 2
    oidc.keys.pop()
    monkeypatch.setattr(provider_keys, "KEPT_SECONDS", 0.0)
    await assumed(stranger, role.arn, oidc.token(GITHUB))
    old = oidc.token(GITHUB, rsa_key("first"))
    assert "Couldn't retrieve verification key" in (await refusal(stranger, role.arn, old))[1]


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("/keys", web.Response(status=500), "IDPCommunicationError"),
        ("/keys", web.Response(status=302, headers={"Location": "https://localhost/"}), "IDPCommunicationError"),
        ("/keys", web.Response(body=b"x" * 1024 * 1024), "IDPCommunicationError"),
        ("/keys", web.Response(text="{"), "InvalidIdentityToken"),
        ("/keys", web.json_response({"keys": {}}), "InvalidIdentityToken"),
        ("/keys", web.json_response({"keys": [1, {"kty": "RSA"}, {"kty": "oct", "k": "AA"}]}), "InvalidIdentityToken"),
        ("/.well-known/openid-configuration", web.json_response([]), "InvalidIdentityToken"),
        (
            "/.well-known/openid-configuration",
            web.json_response({"issuer": "https://evil.example.com", "jwks_uri": "https://localhost/keys"}),
            "InvalidIdentityToken",
        ),
    ],
)
async def test_a_provider_that_answers_nonsense_is_not_believed(
    account: Account,
    oidc: OidcServer,
    provider: str,
    stranger: Stranger,
    path: str,
    answer: web.Response,
    code: str,
) -> None:
    role = await account.role(trusting(provider))
    oidc.answers[path] = answer
    found = await refusal(stranger, role.arn, oidc.token(GITHUB))
    assert found[0] == code
    assert found[1].startswith("Couldn't retrieve verification key from your identity provider")


@pytest.mark.parametrize("location", ["http://localhost:{port}/keys", "https://10.0.0.1/keys", "file:///etc/passwd"])
async def test_keys_are_fetched_from_nowhere_else(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger, location: str
) -> None:
    role = await account.role(trusting(provider))
    place = location.format(port=oidc.host.partition(":")[2])
    oidc.answers["/.well-known/openid-configuration"] = web.json_response({"issuer": oidc.issuer, "jwks_uri": place})
    assert (await refusal(stranger, role.arn, oidc.token(GITHUB)))[0] == "IDPCommunicationError"
    assert "/keys" not in oidc.asked


async def test_a_private_provider_is_asked_only_where_it_is_allowed(
    account: Account, oidc: OidcServer, provider: str, sts: Api
) -> None:
    role = await account.role(trusting(provider))
    found = await sts.refused(
        "assume_role_with_web_identity",
        RoleArn=role.arn,
        RoleSessionName="job-7",
        WebIdentityToken=oidc.token(GITHUB),
    )
    assert found.code == "IDPCommunicationError"
    assert oidc.asked == {}


async def test_tags_and_a_source_identity_may_be_in_a_token(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger
) -> None:
    tagged = {
        **GITHUB,
        "https://aws.amazon.com/tags": {
            "principal_tags": {"team": ["blue"], "job": ["7"]},
            "transitive_tag_keys": ["team"],
        },
        "https://aws.amazon.com/source_identity": "octocat",
    }
    plain = await account.role(trusting(provider), "plain")
    actions = ("sts:TagSession", "sts:SetSourceIdentity")
    wanted = {"aws:RequestTag/team": "blue", "sts:SourceIdentity": "octocat"}
    tagging = await account.role(trusting(provider, *actions, StringEquals=wanted), "tagging")
    assert await refusal(stranger, plain.arn, oidc.token(tagged)) == NOT_AUTHORIZED
    answer = await assumed(stranger, tagging.arn, oidc.token(tagged))
    assert answer["SourceIdentity"] == "octocat"
    assert answer["PackedPolicySize"] > 0
    broken = {**GITHUB, "https://aws.amazon.com/tags": {"principal_tags": [1]}}
    assert (await refusal(stranger, tagging.arn, oidc.token(broken)))[0] == "InvalidIdentityToken"


async def test_nothing_else_is_for_strangers(stranger: Stranger) -> None:
    with stranger() as sts:
        for operation in ("get_caller_identity", "get_session_token"):
            with pytest.raises(sts.client.exceptions.ClientError) as caught:
                await getattr(sts, operation)()
            assert caught.value.response["Error"]["Code"] == "MissingAuthenticationToken"


async def test_a_token_file_is_all_that_boto3_needs(
    account: Account,
    oidc: OidcServer,
    provider: str,
    trusting_plane: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    registry: Registry,
    root_key: AccessKey,
) -> None:
    role = await account.role(trusting(provider))
    file = tmp_path / "token"
    file.write_text(oidc.token(KUBERNETES))
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))
    monkeypatch.setenv("AWS_ROLE_ARN", role.arn)
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "pod-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", trusting_plane)
    monkeypatch.setenv("AWS_DEFAULT_REGION", registry.region)
    client = BotocoreSession().create_client("sts")
    try:
        caller = await Api(client).get_caller_identity()
    finally:
        client.close()
    assert caller["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/deployer/pod-1"
    with api_of("sts", trusting_plane, root_key, registry.region) as sts:
        assert (await sts.get_caller_identity())["Account"] == account.id


async def test_who_waits_for_a_provider_that_is_down_is_answered_at_once(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = await account.role(trusting(provider))
    path = "/.well-known/openid-configuration"
    oidc.answers[path] = web.Response(status=503)
    found = await asyncio.gather(*(refusal(stranger, role.arn, oidc.token(GITHUB)) for _ in range(5)))
    assert {code for code, _, _ in found} == {"IDPCommunicationError"}
    assert oidc.asked == {path: 1}
    monkeypatch.setattr(provider_keys, "LOOK_SECONDS", 0.0)
    del oidc.answers[path]
    await assumed(stranger, role.arn, oidc.token(GITHUB))


def test_no_claim_passes_for_another() -> None:
    claims = {"SUB": "evil", "sub": "good", "Sub": "evil", "a/b": "good", "a": {"b": "evil", "c": [1, 2]}, "n": None}
    token = IdentityToken("good", (AUDIENCE,), claims)
    assert identity_tokens.condition_keys("HOST/path", token) == {
        "host/path:sub": "good",
        "host/path:a/b": "good",
        "host/path:a/c": ("1", "2"),
    }
    issued_to = IdentityToken("s", ("one", "two"), {"aud": ["one", "two"], "azp": "three", "email_verified": True})
    assert identity_tokens.condition_keys("h", issued_to) == {
        "h:aud": "three",
        "h:oaud": ("one", "two"),
        "h:azp": "three",
        "h:email_verified": "true",
    }


async def test_what_a_stranger_asks_is_recorded_without_what_strangers_choose(
    account: Account, oidc: OidcServer, provider: str, stranger: Stranger, database: Database
) -> None:
    role = await account.role(trusting(provider, StringEquals={f"{oidc.host}:sub": GITHUB["sub"]}))
    for number in range(3):
        others = {"sub": GITHUB["sub"] if number else "repo:evil/x", "jti": f"another {number}"}
        token = oidc.token(GITHUB | others)
        if number:
            await assumed(stranger, role.arn, token)
        else:
            assert await refusal(stranger, role.arn, token) == NOT_AUTHORIZED
    rows: list[Any] = []
    for _ in range(200):
        async with database.reading() as connection:
            asked = "SELECT r.*, p.arn FROM audited_requests r JOIN audited_principals p ON p.id = principal_id"
            found = await connection.exec_driver_sql(
                asked + " WHERE resource = $1 AND action LIKE 'sts:%' ORDER BY allowed", (role.arn,)
            )
            rows = list(found.all())
        if sum(row.requests for row in rows) == 3:
            break
        await asyncio.sleep(0.1)
    assert [(row.allowed, row.requests) for row in rows] == [(False, 1), (True, 2)]
    assert {(row.arn, row.action) for row in rows} == {(provider, "sts:AssumeRoleWithWebIdentity")}
    for row in rows:
        assert (row.context["ip"], row.context["more"], row.context.get("agent")) == ("", {}, None)
