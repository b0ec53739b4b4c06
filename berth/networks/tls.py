"""TLS by a certificate and its key in PEM files."""

import ssl
import stat
from pathlib import Path

# TLS 1.3 has its own, all sound. For 1.2: forward secrecy and authenticated encryption alone (RFC 9325, 4.2).
CIPHERS_OF_TLS12 = "ECDHE+AESGCM:ECDHE+CHACHA20"


class CertificateUnusable(Exception):
    """The files hold no certificate and key that belong together; the text says which file is at fault."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server needs: TLS 1.2 or newer, HTTP/1.1, the chain in `certificate`. Raises CertificateUnusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS_OF_TLS12)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    for variable, file in (("BERTH_TLS_CERTIFICATE", certificate), ("BERTH_TLS_KEY", key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise CertificateUnusable(f"{variable}: cannot read {file}: {error.strerror}") from None
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _KeyEncrypted:
        raise CertificateUnusable(f"BERTH_TLS_KEY: the key in {key} is encrypted; give one that is not") from None
    except ssl.SSLError as error:
        raise CertificateUnusable(_fault(certificate, key, error)) from None
    return context


def client_context() -> ssl.SSLContext:
    """For asking a process of this machine's own Berth how it is: nothing is told it, so nothing is verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def readable_by_others(key: Path) -> bool:
    return bool(stat.S_IMODE(key.stat().st_mode) & 0o077)


class _KeyEncrypted(Exception):
    """OpenSSL asks for a password."""


def _no_password() -> str:
    # Without this OpenSSL would ask on the terminal, and wait.
    raise _KeyEncrypted


def _fault(certificate: Path, key: Path, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"BERTH_TLS_KEY: the key in {key} does not belong to the certificate in {certificate}"
    if "-----BEGIN CERTIFICATE-----" not in certificate.read_text(errors="replace"):
        return f"BERTH_TLS_CERTIFICATE: there is no certificate in {certificate} (PEM: -----BEGIN CERTIFICATE-----)"
    reason = (error.reason or "unknown").lower().replace("_", " ")
    return f"BERTH_TLS_CERTIFICATE, BERTH_TLS_KEY: {certificate} and {key} cannot be used: {reason}"
