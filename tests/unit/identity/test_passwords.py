"""Registry passwords and download addresses: believed when sealed here, for their purpose, in their time."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from berth.identity.credentials.passwords import PASSWORD_SECONDS, KeyRing, PasswordExpired
from berth.identity.principals import Principal, Session
from berth.layers import downloads
from berth.layers.downloads import Download, DownloadExpired
from berth.names import Digest, Registry, RepositoryName
from berth.sealing import SealBroken, new_key

ROOT = Principal.root("123456789012", "AKIAEXAMPLE")
OLD_KEY, NEW_KEY = new_key(), new_key()
REGISTRY, LAYER = Registry("123456789012", "us-east-1"), Digest.of(b"layer")
DOWNLOAD = Download(ROOT, REGISTRY, RepositoryName("team/app"), LAYER)


def test_a_password_tells_whom_it_was_given_to_for_twelve_hours() -> None:
    ring = KeyRing({1: OLD_KEY})
    password, expires_at = ring.close_password(ROOT, now=1000)
    assert expires_at == 1000 + 12 * 3600
    assert ring.open_password(password, now=expires_at - 1).principal == ROOT
    with pytest.raises(PasswordExpired):
        ring.open_password(password, now=expires_at)


def test_a_rotated_ring_still_opens_what_it_sealed_before() -> None:
    password, _ = KeyRing({1: OLD_KEY}).close_password(ROOT)
    assert KeyRing({1: OLD_KEY, 2: NEW_KEY}).open_password(password).principal == ROOT
    with pytest.raises(SealBroken):
        KeyRing({2: NEW_KEY}).open_password(password)


def test_the_newest_key_closes() -> None:
    password, _ = KeyRing({1: OLD_KEY, 2: NEW_KEY}).close_password(ROOT)
    assert KeyRing({2: NEW_KEY}).open_password(password).principal == ROOT


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin1")))
def test_nothing_else_is_a_password(text: str) -> None:
    with pytest.raises(SealBroken):
        KeyRing({1: OLD_KEY}).open_password(text)


# Sealed once: two are never alike, but an example must be the same when it is tried again.
RING = KeyRing({1: OLD_KEY})
PASSWORD, _ = RING.close_password(ROOT)


@given(st.integers(0, len(PASSWORD) - 1), st.sampled_from("Aa0-_"))
def test_a_password_with_any_character_changed_is_none(place: int, other: str) -> None:
    assume(other != PASSWORD[place])
    with pytest.raises(SealBroken):
        RING.open_password(PASSWORD[:place] + other + PASSWORD[place + 1 :])


def test_a_password_is_no_download_address_and_the_other_way_round() -> None:
    ring = KeyRing({1: OLD_KEY})
    password, _ = ring.close_password(ROOT)
    with pytest.raises(SealBroken):
        downloads.open_path(ring, downloads.PATH + password)
    with pytest.raises(SealBroken):
        ring.open_password(downloads.close(ring, DOWNLOAD).removeprefix(downloads.PATH))


def test_a_download_address_names_a_layer_and_who_asked_for_it_for_an_hour() -> None:
    ring = KeyRing({1: OLD_KEY})
    path = downloads.close(ring, DOWNLOAD, now=1000)
    assert downloads.open_path(ring, path, now=1000 + downloads.SECONDS - 1) == DOWNLOAD
    with pytest.raises(DownloadExpired):
        downloads.open_path(ring, path, now=1000 + downloads.SECONDS)


def test_a_download_address_holds_no_longer_than_the_session_that_asked_for_it() -> None:
    ring = KeyRing({1: OLD_KEY})
    tags = tuple((f"key-{number}", "value" * 20) for number in range(20))
    session = Session(900, 1100, tags=tags)
    role = Principal.role_session("123456789012", "ci", "AROAEXAMPLE", "job", "ASIAEXAMPLE", session)
    download = Download(role, REGISTRY, RepositoryName("team/app"), LAYER)
    path = downloads.close(ring, download, now=1000)
    assert len(path) < 1024
    assert downloads.open_path(ring, path, now=1099) == download
    with pytest.raises(DownloadExpired):
        downloads.open_path(ring, path, now=1100)


def test_a_password_fits_where_clients_put_it() -> None:
    """Credential helpers and Basic headers take what is short and has no colon or white space."""
    password, expires_at = KeyRing({1: OLD_KEY}).close_password(ROOT)
    assert len(password) < 512
    assert not set(password) & set(": \t\r\n\"'\\")
    assert expires_at - time.time() <= PASSWORD_SECONDS
