"""Sealing: secrets that must be read again are kept encrypted under the master key, never in the clear."""

import base64
import binascii
import contextlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from berth.settings import Settings

NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """The sealed bytes were made under another key or for another purpose, or were changed."""


class Seal:
    """AES-256-GCM under one key of 32 bytes, bound to a purpose: what is sealed for one can't pass for another."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def close(self, plain: bytes, purpose: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises SealBroken."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"this is not a {purpose} that the key in use has sealed") from error


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def master_seal(settings: Settings) -> Seal:
    """The seal of `BERTH_MASTER_KEY`, or of `master.key` in the data folder, which is made (mode 0600) at need."""
    if settings.master_key is not None:
        return Seal(_decode(settings.master_key.get_secret_value(), "BERTH_MASTER_KEY"))
    file = settings.data / "master.key"
    settings.data.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        _create(file, base64.b64encode(new_key()))
    return Seal(_decode(file.read_text(), str(file)))


def _create(file: Path, content: bytes) -> None:
    """Make `file` whole or not at all: a link is refused when another process was first."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.link(draft, file)
    finally:
        draft.unlink()


def _decode(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise SealBroken(f"{where} must be {KEY_BYTES} bytes in base64 (openssl rand -base64 {KEY_BYTES})")
    return key
