"""The certificate that the planes show: whose it is, until when, and who may read its key."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.extensions import ExtensionNotFound

from berth.cli.doctor.finding import Finding
from berth.networks.tls import CertificateUnusable, readable_by_others, server_context
from berth.settings import Settings

SOON = timedelta(days=14)


def certificate(settings: Settings) -> list[Finding]:
    """Nothing without TLS."""
    file, key = settings.tls_certificate, settings.tls_key
    if file is None or key is None:
        return []
    try:
        server_context(file, key)
        found = x509.load_pem_x509_certificates(file.read_bytes())[0]
    except (CertificateUnusable, ValueError) as error:
        return [Finding("certificate", str(error), "give PEM files of a certificate with its chain, and of its key")]
    return [_validity(found), _key(key)]


def _validity(found: x509.Certificate) -> Finding:
    until = found.not_valid_after_utc
    text = f"for {', '.join(_names(found)) or 'no name'}, until {until:%Y-%m-%d %H:%M} UTC"
    now = datetime.now(UTC)
    if not found.not_valid_before_utc <= now <= until:
        return Finding("certificate", f"{text}: it is not valid now", "renew it; a running Berth takes the new one")
    return Finding("certificate", text, "renew it; a running Berth takes the new one" if until - now < SOON else "")


def _names(found: x509.Certificate) -> list[str]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _key(key: Path) -> Finding:
    if readable_by_others(key):
        return Finding("TLS key", f"others may read {key}", f"chmod 600 {key}")
    return Finding("TLS key", f"{key} is for its owner alone")
