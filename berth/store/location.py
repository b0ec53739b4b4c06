"""What BERTH_STORE may say: a folder, or a part of a bucket."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

# Amazon S3 user guide, "Bucket naming rules".
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What stands in keys, paths and signatures as it is.
_PREFIX = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_ENDPOINT = re.compile(r"https?://[^\s/?#@]+")


@dataclass(frozen=True, slots=True)
class S3Location:
    """Part of a bucket; what is None is as the settings have it."""

    bucket: str
    # Of every key, without a slash at its ends; empty for the whole bucket.
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    # Of the AWS configuration files, for credentials.
    profile: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


Location = Path | S3Location


def parse_location(text: str) -> Location:
    """Raises ValueError with a text for people."""
    url = urlsplit(text)
    if url.scheme == "file" and not url.netloc and url.path and not url.query:
        return Path(url.path)
    if url.scheme == "s3":
        return _s3(text)
    raise ValueError(f"'{text}' is not file:///FOLDER or s3://BUCKET/PREFIX")


def _s3(text: str) -> S3Location:
    url = urlsplit(text)
    if "@" in url.netloc:
        # What the text is must not be told: it may hold a secret.
        raise ValueError("credentials do not belong into the address of a bucket: see BERTH_S3_ACCESS_KEY_ID")
    if not _BUCKET.fullmatch(url.netloc):
        raise ValueError(f"'{url.netloc}' is not the name of a bucket")
    prefix = url.path.strip("/")
    if prefix and (not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        raise ValueError(f"'{prefix}' is not a prefix of letters, digits, '.', '_', '-' and '/'")
    given = dict(parse_qsl(url.query, keep_blank_values=True))
    if unknown := given.keys() - {"endpoint", "region", "profile"}:
        raise ValueError(f"'{min(unknown)}' is not endpoint, region or profile")
    if "endpoint" in given and not _ENDPOINT.fullmatch(given["endpoint"]):
        raise ValueError(f"'{given['endpoint']}' is not http://HOST or https://HOST, perhaps with a port")
    if "region" in given and not _REGION.fullmatch(given["region"]):
        raise ValueError(f"'{given['region']}' is not a region")
    return S3Location(url.netloc, prefix, given.get("endpoint"), given.get("region"), given.get("profile"))
