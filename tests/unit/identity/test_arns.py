"""ARNs of who may act, and what they tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.identity.arns import IdentityArn, Kind, SessionArn, account_of_root

ACCOUNT = "123456789012"
_CHARACTERS = "abcXYZ019_+=,.@-"


@given(
    st.sampled_from(["user", "group", "role"]),
    st.lists(st.text(_CHARACTERS + "!~:*", min_size=1, max_size=8), max_size=3),
    st.text(_CHARACTERS, min_size=1, max_size=64),
)
def test_an_identity_s_tells_all_that_it_is_made_of(kind: Kind, folders: list[str], name: str) -> None:
    path = "/".join(["", *folders, ""])
    assert IdentityArn.parse(f"arn:aws:iam::{ACCOUNT}:{kind}{path}{name}") == IdentityArn(ACCOUNT, kind, path, name)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "*",
        ACCOUNT,
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:policy/one",
        f"arn:aws:iam::{ACCOUNT}:user/",
        f"arn:aws:iam::{ACCOUNT}:user/path/",
        f"arn:aws:iam::{ACCOUNT}:user/one two",
        f"arn:aws:iam::{ACCOUNT}:user/one\n",
        f"arn:aws:iam::{ACCOUNT}:user/ünë",
        "arn:aws:iam::12345678901:user/one",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/one/session",
        f"arn:gcp:iam::{ACCOUNT}:user/one",
    ],
)
def test_what_is_no_identity_s(arn: str) -> None:
    assert IdentityArn.parse(arn) is None


@pytest.mark.parametrize(
    ("path", "name", "can_be"),
    [
        ("/", "r" * 64, True),
        ("/", "r" * 65, False),
        (f"/{'p' * 510}/", "one", True),
        (f"/{'p' * 511}/", "one", False),
    ],
)
def test_a_role_s_has_a_path_and_a_name_of_bounded_length(path: str, name: str, can_be: bool) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
    assert IdentityArn.parse_role(arn) == (IdentityArn(ACCOUNT, "role", path, name) if can_be else None)
    assert IdentityArn.parse_role(arn.replace(":role/", ":user/")) is None


def test_a_session_s_tells_its_role() -> None:
    session = SessionArn.parse(f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/deployer/job@7")
    assert session == SessionArn("aws-cn", ACCOUNT, "deployer", "job@7")
    assert session.roles == f"arn:aws-cn:iam::{ACCOUNT}:role/"
    assert SessionArn.parse(f"arn:aws:iam::{ACCOUNT}:role/deployer") is None
    for name in ("deployer", "deployer/", "/job", "team/deployer/job", "deployer/a job", "deployer/job\n"):
        assert SessionArn.parse(f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}") is None


def test_a_root_s_tells_its_account() -> None:
    assert account_of_root(f"arn:aws-us-gov:iam::{ACCOUNT}:root") == ACCOUNT
    assert account_of_root(f"arn:aws:iam::{ACCOUNT}:user/root") is None
    assert account_of_root(f"arn:awsx:iam::{ACCOUNT}:root") is None
