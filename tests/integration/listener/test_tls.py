"""TLS by files: who is let in, and how a new certificate takes the place of an old one."""

import asyncio
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from structlog.testing import capture_logs

import listener
from berth.networks.tls import CertificateUnusable, server_context
from tests.authority import Authority
from tests.integration.listener.conftest import Listen
from tests.integration.listener.plane import connection, exchange, is_closed

Files = dict[str, Path]


async def serial(address: listener.Address, authority: Authority) -> int:
    """Of the certificate that a new connection gets."""
    async with connection(address, authority.trusting()) as (_, writer):
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).serial_number


def serial_in(files: Files) -> int:
    return x509.load_pem_x509_certificate(files["tls_certificate"].read_bytes()).serial_number


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_client_that_trusts_the_authority_is_served(listen: Listen, authority: Authority, tls: Files) -> None:
    async with listen(**tls) as address, connection(address, authority.trusting()) as (reader, writer):
        assert b'"is_secure": true' in await exchange(reader, writer, "/who")
        spoken = writer.get_extra_info("ssl_object")
        assert spoken.version() == "TLSv1.3"
        assert spoken.selected_alpn_protocol() == "http/1.1"


async def test_it_speaks_tls_1_2_with_forward_secrecy_and_nothing_older(
    listen: Listen, authority: Authority, tls: Files
) -> None:
    context = authority.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listen(**tls) as address:
        async with connection(address, context) as (_, writer):
            cipher, version, _ = writer.get_extra_info("ssl_object").cipher()
            assert version == "TLSv1.2"
            assert cipher.startswith("ECDHE-")
            assert "GCM" in cipher or "CHACHA20" in cipher
        context.set_ciphers("AES128-GCM-SHA256")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with connection(address, context):
                pass
    offered = server_context(tls["tls_certificate"], tls["tls_key"])
    assert offered.minimum_version == ssl.TLSVersion.TLSv1_2


async def test_a_client_that_does_not_know_the_authority_refuses(listen: Listen, tls: Files) -> None:
    async with listen(**tls) as address:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connection(address, ssl.create_default_context()):
                pass


async def test_a_new_certificate_is_for_new_connections_and_old_ones_live_on(
    listen: Listen, authority: Authority, tls: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.certificates.CHECK_SECONDS", 0.05)
    old = serial_in(tls)
    async with listen(**tls) as address, connection(address, authority.trusting()) as (reader, writer):
        assert await serial(address, authority) == old
        with capture_logs() as logs:
            authority.issue(tls["tls_key"].parent)
            await until(lambda: any(line["event"].startswith("new connections get") for line in logs))
        assert await serial(address, authority) == serial_in(tls) != old
        assert b'"is_secure": true' in await exchange(reader, writer, "/who")


async def test_a_certificate_behind_another_link_is_taken(
    listen: Listen, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Kubernetes swaps the files of a secret."""
    monkeypatch.setattr("listener.certificates.CHECK_SECONDS", 0.05)
    issued = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        issued.append(authority.issue(tmp_path / name))
    current = tmp_path / "current"
    current.symlink_to("one")
    files = {setting: current / file.name for setting, file in issued[0].items()}
    async with listen(**files) as address:
        assert await serial(address, authority) == serial_in(issued[0])
        (tmp_path / "next").symlink_to("two")
        os.replace(tmp_path / "next", current)
        with capture_logs() as logs:
            await until(lambda: any(line["event"].startswith("new connections get") for line in logs))
        assert await serial(address, authority) == serial_in(issued[1])


async def test_a_broken_pair_leaves_the_old_one_in_use(
    listen: Listen, authority: Authority, tls: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.certificates.CHECK_SECONDS", 0.05)
    old = serial_in(tls)
    (tmp_path / "other").mkdir()
    other = authority.issue(tmp_path / "other")
    async with listen(**tls) as address:
        with capture_logs() as logs:
            os.replace(other["tls_key"], tls["tls_key"])
            await until(lambda: any("no good" in line["event"] for line in logs))
            await asyncio.sleep(0.2)
        warnings = [line for line in logs if "no good" in line["event"]]
        assert len(warnings) == 1, "it is said once"
        assert "does not belong to the certificate" in warnings[0]["because"]
        assert "PRIVATE" not in str(warnings)
        assert await serial(address, authority) == old
        with capture_logs() as logs:
            os.replace(other["tls_certificate"], tls["tls_certificate"])
            await until(lambda: any(line["event"].startswith("new connections get") for line in logs))
        assert await serial(address, authority) == serial_in(tls) != old


async def test_a_stalled_handshake_is_closed_and_harms_nobody(
    listen: Listen, authority: Authority, tls: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.accepting.ADMISSION_SECONDS", 1)
    async with (
        listen(**tls) as address,
        connection(address) as (silent, _),
        connection(address, before=b"\x16\x03\x01\x02\x00") as (half, _),
    ):
        async with connection(address, authority.trusting()) as (reader, writer):
            assert await exchange(reader, writer, "/id")
        assert await is_closed(silent)
        assert await is_closed(half)


async def test_what_is_not_tls_is_closed(listen: Listen, authority: Authority, tls: Files) -> None:
    async with listen(**tls) as address:
        async with connection(address, before=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as (reader, _):
            assert b"HTTP/" not in await asyncio.wait_for(reader.read(), 10)
        async with connection(address, authority.trusting()) as (reader, writer):
            assert await exchange(reader, writer, "/id")


async def test_handshakes_that_come_to_nothing_leave_nothing(
    listen: Listen, authority: Authority, tls: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async with listen(max_connections=16, **tls) as address:
        before = descriptors()
        for number in range(120):
            _, writer = await asyncio.open_connection(address.host, address.port)
            writer.write((b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00", b"")[number % 3])
            if number % 2:
                writer.transport.abort()
            else:
                writer.close()
        await until(lambda: descriptors() <= before)
        # Some are given up for room in the midst of their handshake.
        half = [await asyncio.open_connection(address.host, address.port) for _ in range(60)]
        async with connection(address, authority.trusting()) as (reader, writer):
            assert await exchange(reader, writer, "/id")
        for _, writer in half:
            writer.close()
        await until(lambda: descriptors() <= before)


def test_what_is_wrong_with_the_files_is_said(authority: Authority, tls: Files, tmp_path: Path) -> None:
    certificate, key = tls["tls_certificate"], tls["tls_key"]
    missing = tmp_path / "missing.pem"
    encrypted = tmp_path / "encrypted.key"
    own = serialization.load_pem_private_key(key.read_bytes(), None)
    scheme = serialization.BestAvailableEncryption(b"canary")
    encrypted.write_bytes(
        own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, scheme)  # type: ignore[union-attr]
    )
    (tmp_path / "other").mkdir()
    other = authority.issue(tmp_path / "other")["tls_key"]
    for pair, words in (
        ((missing, key), f"BERTH_TLS_CERTIFICATE: cannot read {missing}: No such file or directory"),
        ((certificate, missing), f"BERTH_TLS_KEY: cannot read {missing}: No such file or directory"),
        (
            (certificate, other),
            f"BERTH_TLS_KEY: the key in {other} does not belong to the certificate in {certificate}",
        ),
        ((certificate, encrypted), f"BERTH_TLS_KEY: the key in {encrypted} is encrypted; give one that is not"),
        ((key, key), f"BERTH_TLS_CERTIFICATE: there is no certificate in {key}"),
        ((certificate, certificate), f"BERTH_TLS_CERTIFICATE, BERTH_TLS_KEY: {certificate} and {certificate} cannot"),
    ):
        with pytest.raises(CertificateUnusable) as told:
            server_context(*pair)
        assert str(told.value).startswith(words)
