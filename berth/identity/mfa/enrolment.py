"""What a device app is shown of a seed, once: its text in base32, and a QR code of it. Pure.

IAM API reference, "VirtualMFADevice", `QRCodePNG`.
"""

import base64
import io
from urllib.parse import quote

import segno

# Pixels of each module of the code.
_SCALE = 4


def text_of(seed: bytes) -> str:
    return base64.b32encode(seed).decode()


def address_of(seed: bytes, device: str, account: str) -> str:
    """What device apps read; `device` is the device's name, `account` the account's alias or number."""
    return f"otpauth://totp/{quote(device, safe='')}@{quote(account, safe='')}?secret={text_of(seed)}"


def picture_of(address: str) -> bytes:
    """A QR code as a PNG."""
    picture = io.BytesIO()
    segno.make(address, error="m", micro=False).save(picture, kind="png", scale=_SCALE)
    return picture.getvalue()
