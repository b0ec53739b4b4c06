"""What a device app is shown of a seed: all that it needs, in the form that apps read."""

import base64
import struct
import zlib
from urllib.parse import parse_qs, unquote, urlsplit

import segno

from berth.identity.mfa import enrolment

SEED = bytes(range(40))


def test_the_text_is_base32_without_padding() -> None:
    text = enrolment.text_of(SEED)
    assert base64.b32decode(text) == SEED
    assert len(text) == 64
    assert "=" not in text


def test_the_address_says_whose_device_and_which_account() -> None:
    address = urlsplit(enrolment.address_of(SEED, "bob@home?x=1", "my-account"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/bob@home?x=1@my-account"
    assert parse_qs(address.query) == {"secret": [enrolment.text_of(SEED)]}


def test_the_picture_shows_the_address() -> None:
    """Module by module: what another QR code of the same text has, four pixels each and four modules of margin."""
    address = enrolment.address_of(SEED, "phone", "123456789012")
    expected = [
        [bool(module) for module in row]
        for row in segno.make(address, error="m", micro=False).matrix_iter(scale=4, border=4)
    ]
    assert pixels(enrolment.picture_of(address)) == expected
    assert pixels(enrolment.picture_of(address.replace("phone", "other"))) != expected


def pixels(png: bytes) -> list[list[bool]]:
    """The dark pixels of a PNG of one bit a pixel, whose rows stand for themselves, or for what differs from above."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert zlib.crc32(name + content) == struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        chunks[name] = content
        at += 12 + length
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, kind) == (1, 0)
    data, stride = zlib.decompress(chunks[b"IDAT"]), (width + 7) // 8 + 1
    rows, above = [], bytes(stride - 1)
    for row in range(height):
        how, *written = data[row * stride : (row + 1) * stride]
        assert how in (0, 2)
        above = bytes((byte + before * (how == 2)) % 256 for byte, before in zip(written, above, strict=True))
        rows.append(above)
    return [[not row[x // 8] >> (7 - x % 8) & 1 for x in range(width)] for row in rows]
