"""The certificate that new connections get: the one that stands in the files now, without a restart."""

import asyncio
import os
import ssl
from pathlib import Path

import structlog

from berth.networks.tls import CertificateUnusable, server_context
from berth.settings import Settings

log = structlog.get_logger()

CHECK_SECONDS = 3.0


class Certificate:
    """A certificate and its key in two files. Raises CertificateUnusable where they are none from the start."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._state = self._look()
        self.context = server_context(*self._files)

    def refresh(self) -> None:
        """Take what the files hold now, if they have changed; where that is no good, the old pair stays."""
        state = self._look()
        if state == self._state:
            return
        # What is broken now is told once, and tried again when it has changed again.
        self._state = state
        try:
            self.context = server_context(*self._files)
        except CertificateUnusable as error:
            log.warning("the new certificate is no good; the old one stays in use", because=str(error))
        else:
            log.info("new connections get the new certificate", file=str(self._files[0]))

    async def keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await asyncio.to_thread(self.refresh)

    def _look(self) -> list[tuple[int, int, int] | None]:
        return [_state_of(file) for file in self._files]


def certificate_of(settings: Settings) -> Certificate | None:
    """None without TLS. Raises CertificateUnusable."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return Certificate(settings.tls_certificate, settings.tls_key)


def context_of(certificate: Certificate | None) -> ssl.SSLContext | None:
    return certificate.context if certificate is not None else None


def _state_of(file: Path) -> tuple[int, int, int] | None:
    """What changes with the file, also where it is a link to another one by now (as Kubernetes mounts secrets)."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
