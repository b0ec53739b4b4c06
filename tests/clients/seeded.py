"""Bytes that no one can compress and everyone can make again: AES in counter mode over zeros, gigabytes a second."""

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MIB = 1 << 20


def seeded_bytes(seed: int, size: int, chunk: int = MIB) -> Iterator[bytes]:
    """Yield `size` bytes that depend on `seed` alone, in pieces of `chunk` bytes and a last one."""
    stream = Cipher(algorithms.AES(seed.to_bytes(32, "big")), modes.CTR(bytes(16))).encryptor()
    zeros = memoryview(bytes(chunk))
    for start in range(0, size, chunk):
        yield stream.update(zeros[: size - start])


def write_seeded(path: Path, seed: int, size: int) -> Path:
    """Write a file of `size` seeded bytes and answer its path."""
    with path.open("wb") as file:
        file.writelines(seeded_bytes(seed, size))
    return path
