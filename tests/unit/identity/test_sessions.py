"""Temporary credentials: whatever is in a session comes back as it was, from its own token alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.errors import EcrError
from berth.identity.credentials.passwords import KeyRing
from berth.identity.directory import ids
from berth.identity.principals import Principal, Session
from berth.identity.sts import session_requests, sessions
from berth.identity.sts.session_requests import Wanted
from berth.sealing import SealBroken

RING = KeyRing({1: b"k" * 32})
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SESSIONS = st.builds(
    Session,
    issued_at=st.integers(0, 2**32),
    expires_at=st.integers(2**33, 2**34),
    policies=st.lists(TEXT, max_size=1).map(tuple),
    policy_arns=st.lists(TEXT, max_size=3).map(tuple),
    tags=st.lists(st.tuples(TEXT, TEXT), max_size=5).map(tuple),
    transitive_tag_keys=st.lists(TEXT, max_size=3).map(tuple),
    source_identity=st.none() | TEXT,
    authenticated_at=st.none() | st.integers(0, 2**32),
    provider=st.none() | TEXT,
    federated_by=st.none() | TEXT,
)


def of_role(session: Session) -> Principal:
    return Principal.role_session("012345678901", "deployer", "AROA7", "ci", "", session)


@given(SESSIONS)
def test_a_token_says_what_was_sealed(session: Session) -> None:
    issued = sessions.issued(RING, of_role(session))
    key = sessions.opened(RING, issued.access_key_id, issued.token, now=0)
    assert (key.id, key.secret, key.principal) == (issued.access_key_id, issued.secret, issued.principal)
    assert key.principal.session == session
    assert ids.account_of(issued.access_key_id) == "012345678901"
    password, expires_at = RING.close_password(issued.principal, now=session.expires_at - 60)
    assert expires_at == session.expires_at
    assert RING.open_password(password, now=session.expires_at - 60).principal == issued.principal


@given(SESSIONS, st.integers(0, 10_000), st.integers(1, 255))
def test_a_token_that_was_changed_is_none(session: Session, place: int, change: int) -> None:
    issued = sessions.issued(RING, of_role(session))
    at = place % len(issued.token)
    changed = issued.token[:at] + chr(ord(issued.token[at]) ^ change) + issued.token[at + 1 :]
    with pytest.raises(SealBroken):
        sessions.opened(RING, issued.access_key_id, changed, now=0)


def test_a_token_is_that_of_its_key_and_of_its_time() -> None:
    session = Session(issued_at=1000, expires_at=1900)
    one, two = (sessions.issued(RING, of_role(session)) for _ in range(2))
    with pytest.raises(SealBroken):
        sessions.opened(RING, one.access_key_id, two.token, now=1000)
    with pytest.raises(SealBroken):
        sessions.opened(KeyRing({1: b"x" * 32}), one.access_key_id, one.token, now=1000)
    with pytest.raises(SealBroken):
        sessions.opened(RING, one.access_key_id, RING.close(b"[]", "registry password"), now=1000)
    assert sessions.opened(RING, one.access_key_id, one.token, now=1899.9).secret == one.secret
    with pytest.raises(sessions.SessionExpired):
        sessions.opened(RING, one.access_key_id, one.token, now=1900)


def test_nothing_secret_is_in_a_text_of_them() -> None:
    issued = sessions.issued(RING, of_role(Session(issued_at=1000, expires_at=1900)))
    assert issued.secret not in repr(issued)
    assert issued.token not in repr(issued)


@given(st.integers(0, 10**12 - 1))
def test_the_account_can_be_read_from_a_temporary_key(number: int) -> None:
    account = f"{number:012}"
    key = ids.temporary_key(account)
    assert (len(key), ids.account_of(key)) == (20, account)


@pytest.mark.parametrize("key", ["", "ASIA", "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPL", "ASIA" + "7" * 16])
def test_other_texts_say_no_account(key: str) -> None:
    assert ids.account_of(key) is None


def test_what_does_not_fit_is_refused() -> None:
    many = tuple((f"{number:x}" * 20, f"{number * 7919:x}" * 40) for number in range(1, 51))
    with pytest.raises(EcrError, match=r"Packed policy consumes \d+% of allotted space"):
        session_requests.check_policies(Wanted("ci", tags=tuple((key, value * 3 + key) for key, value in noisy(many))))
    arns = tuple(f"arn:aws:iam::aws:policy/{number}" for number in range(11))
    with pytest.raises(EcrError, match="'policyArns' failed to satisfy constraint"):
        session_requests.check_policies(Wanted("ci", policy_arns=arns))
    with pytest.raises(EcrError, match="number of tags"):
        session_requests.check_tags(Wanted("ci", tags=(*many, ("one", "more"))))
    with pytest.raises(EcrError, match="must not start with aws:"):
        session_requests.check_tags(Wanted("ci", tags=(("AWS:x", "y"),)))
    assert session_requests.check_policies(Wanted("ci")) is None


def noisy(tags: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Tags that do not pack well."""
    return [(key, "".join(chr(0x4E00 + (ord(c) * 7 + n * n * 31) % 20000) for n, c in enumerate(v))) for key, v in tags]


def test_a_chain_hands_on_only_what_is_transitive() -> None:
    caller = of_role(
        Session(1000, 1900, tags=(("team", "blue"), ("job", "7")), transitive_tag_keys=("team",), source_identity="ada")
    )
    wanted = session_requests.inherited(Wanted("ci", tags=(("step", "2"),)), caller)
    assert wanted.tags == (("team", "blue"), ("step", "2"))
    assert (wanted.transitive_tag_keys, wanted.source_identity) == (("team",), "ada")
    assert session_requests.actions("sts:AssumeRole", wanted) == [
        "sts:AssumeRole",
        "sts:TagSession",
        "sts:SetSourceIdentity",
    ]
    plain = replace(wanted, tags=(), transitive_tag_keys=(), source_identity=None)
    assert session_requests.actions("sts:AssumeRole", plain) == ["sts:AssumeRole"]


def test_a_chain_of_roles_hands_on_no_more_tags_than_a_session_may_have() -> None:
    """Each link would add its own, and a session token that is packed well would grow without end."""
    handed_on = tuple((f"a{number}", "x") for number in range(30))
    caller = of_role(Session(1000, 2000, tags=handed_on, transitive_tag_keys=tuple(key for key, _ in handed_on)))
    fits = Wanted("ci", tags=tuple((f"b{number}", "x") for number in range(20)))
    assert len(session_requests.inherited(fits, caller).tags) == 50
    with pytest.raises(EcrError, match="less than or equal to 50"):
        session_requests.inherited(replace(fits, tags=(*fits.tags, ("c", "x"))), caller)
