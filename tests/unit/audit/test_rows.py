"""What an entry is kept as: bounded, text that PostgreSQL takes, and without secrets."""

import base64
import json
import secrets
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.audit.askers import Asker, principal_of
from berth.audit.entries import Entry
from berth.audit.rows import MOST_OF_ARN, asker_row, request_row, shown
from berth.identity.principals import Principal, Session
from tests.unit.audit.samples import ACCOUNT, ALICE, REFUSED, how, ruled

TEXTS = st.text(st.characters() | st.sampled_from("\0\ud800\udfff"), max_size=400) | st.text("aZ9+/=", max_size=400)


def entry(what: Any = None, **came: Any) -> Entry:
    return Entry(what or ruled(), how(**came), 2, 1_795_602_600.5, 1_795_602_700.5)


@given(agent=TEXTS, referer=TEXTS, resource=TEXTS, tag=TEXTS)
def test_whatever_a_client_says_the_row_is_bounded_and_text(agent: str, referer: str, resource: str, tag: str) -> None:
    what = ruled(resource, more={f"aws:requesttag/{tag}": tag, "aws:tagkeys": (tag,) * 500})
    row = request_row(entry(what, user_agent=agent, referer=referer), "id")
    for text in (row.resource, row.context, row.reason):
        assert "\0" not in text
        text.encode()
    assert len(row.resource) <= MOST_OF_ARN
    assert len(row.context) <= 300_000
    json.loads(row.context)


@pytest.mark.parametrize(
    "secret",
    [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        secrets.token_hex(32),
        secrets.token_urlsafe(64),
        base64.b64encode(b"AWS:" + secrets.token_bytes(120)).decode(),
    ],
    ids=["secret access key", "signature", "token", "password"],
)
def test_what_may_be_a_secret_is_not_kept(secret: str) -> None:
    for said in (secret, f"Basic {secret}", f"https://x.example/?X-Amz-Signature={secret}&a=b", f"a{secret}"):
        assert secret not in shown(said)
        row = request_row(entry(user_agent=said, referer=said), "id")
        assert secret not in row.context
        assert json.loads(row.context)["cut"]


@pytest.mark.parametrize(
    "agent",
    [
        "docker/24.0.5 go/go1.20.6 git-commit/a61e2b4 kernel/6.1.0 os/linux arch/amd64"
        " UpstreamClient(Docker-Client/24.0.5 \\(linux\\))",
        "containerd/1.7.2+unknown",
        "Boto3/1.35.1 md/Botocore#1.35.1 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.7 cfg/retry-mode#legacy",
        "go-containerregistry/v0.20.2",
        "skopeo/1.14.2",
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.63.0",
    ],
)
def test_the_names_of_real_clients_are_kept_whole(agent: str) -> None:
    assert shown(agent) == agent
    context = json.loads(request_row(entry(user_agent=agent), "id").context)
    assert (context["agent"], context["cut"]) == (agent, False)


def test_a_session_comes_back_without_its_access_key_and_by_the_hour() -> None:
    session = Session(1_795_602_600, 1_795_606_200, ("{}",), ("arn:x",), (("team", "a"),), source_identity="me")
    ci = Principal.role_session(ACCOUNT, "ci", "AROACI", "job", "ASIASECRET", session)
    row = asker_row(entry(ruled(principal=ci)))
    assert "ASIASECRET" not in row.claims
    again = principal_of(json.loads(row.claims))
    assert again is not None
    assert (again.arn, again.identity_id, again.kind) == (ci.arn, "AROACI", ci.kind)
    assert again.session is not None
    assert again.session.issued_at == 1_795_602_600 - 1_795_602_600 % 3600
    assert replace(again.session, issued_at=0, expires_at=0) == replace(session, issued_at=0, expires_at=0)
    later = replace(ci, session=replace(session, issued_at=session.issued_at + 60), access_key_id="ASIAOTHER")
    assert asker_row(entry(ruled(principal=later))).id == row.id, "sessions of one name and hour are one"


def test_whom_a_provider_vouches_for_has_no_principal() -> None:
    row = asker_row(entry(ruled(principal=Asker(ACCOUNT, "arn:aws:iam::1:oidc-provider/x"))))
    assert (row.account, row.arn, row.identity_id) == (ACCOUNT, "arn:aws:iam::1:oidc-provider/x", None)
    assert principal_of(json.loads(row.claims)) is None


def test_rows_differ_by_what_was_asked_and_decided_and_not_by_when() -> None:
    one = request_row(entry(), "id")
    assert request_row(replace_moment(entry()), "id").id == one.id
    others = [
        request_row(entry(ruled("another")), "id"),
        request_row(entry(ruled(decision=REFUSED)), "id"),
        request_row(entry(ruled(policies_of="arn")), "id"),
        request_row(entry(source_ip="10.0.0.8"), "id"),
        request_row(entry(region="eu-west-1"), "id"),
        request_row(entry(), "another"),
    ]
    assert len({one.id, *(row.id for row in others)}) == 7
    assert asker_row(entry()).id == asker_row(entry(ruled(principal=replace(ALICE, access_key_id="AKIAX")))).id


def replace_moment(entry: Entry) -> Entry:
    return Entry(entry.ruled, how(moment=entry.circumstances.moment.replace(minute=1)), 7, 1.0, 2.0)
