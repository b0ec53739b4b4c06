"""The forms that a KMS key is named in, and the ARN that each comes to."""

import pytest

from berth.errors import InvalidParameter
from berth.names import Registry
from berth.repositories import encryption

HERE = Registry("123456789012", "eu-central-1")
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
PREFIX = "arn:aws:kms:eu-central-1:123456789012:"


@pytest.mark.parametrize("kind", ["KMS", "KMS_DSSE"])
@pytest.mark.parametrize(
    ("key", "arn"),
    [
        (None, f"{PREFIX}alias/aws/ecr"),
        (KEY, f"{PREFIX}key/{KEY}"),
        ("mrk-" + "1" * 32, f"{PREFIX}key/mrk-{'1' * 32}"),
        ("alias/team/images", f"{PREFIX}alias/team/images"),
        (f"{PREFIX}key/{KEY}", f"{PREFIX}key/{KEY}"),
        (f"arn:aws:kms:eu-central-1:999999999999:key/{KEY}", f"arn:aws:kms:eu-central-1:999999999999:key/{KEY}"),
    ],
)
def test_a_key_is_kept_as_its_arn(kind: str, key: str | None, arn: str) -> None:
    given = {"encryptionType": kind} | ({} if key is None else {"kmsKey": key})
    assert encryption.parse(HERE, given) == {"encryptionType": kind, "kmsKey": arn}


def test_aes256_has_no_key() -> None:
    assert encryption.parse(HERE, {"encryptionType": "AES256"}) == {"encryptionType": "AES256"}


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("AES256", KEY),
        ("KMS", "x"),
        ("KMS", "alias/"),
        ("KMS", f"arn:aws:kms:us-east-1:123456789012:key/{KEY}"),
        ("KMS", f"{PREFIX}key/{KEY}\n"),
        ("KMS_DSSE", "arn:aws:s3:::bucket"),
    ],
)
def test_any_other_key_is_refused_and_the_field_is_named(kind: str, key: str) -> None:
    with pytest.raises(InvalidParameter, match=r"encryptionConfiguration\.kmsKey"):
        encryption.parse(HERE, {"encryptionType": kind, "kmsKey": key})
