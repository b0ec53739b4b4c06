"""What an OpenID Connect provider is described by: its URL, its audiences, its thumbprints. Pure.

IAM API reference, "CreateOpenIDConnectProvider"; IAM user guide, "IAM and AWS STS quotas".
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from berth.errors.iam import InvalidInput, NoSuchEntity, QuotaExceeded, ValidationError

MOST_CLIENT_IDS, MOST_THUMBPRINTS = 100, 5
SCHEME = "https://"
# What an ARN may have in it; a port is Berth's own: providers of one's own network have one.
_URL = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\w.~/+=,@-]*)?", re.ASCII)
_ARN = re.compile(r"arn:aws:iam::(?P<account>[0-9]{12}):oidc-provider/(?P<url>.+)")
_THUMBPRINT = re.compile(r"[0-9a-fA-F]{40}")


def url_of(account: str, arn: str) -> str:
    """The URL in the ARN of a provider of the account, without https://. Raises InvalidInput, NoSuchEntity."""
    matched = _ARN.fullmatch(arn)
    if matched is None:
        raise InvalidInput(f"ARN {arn} is not valid.")
    if matched["account"] != account:
        raise NoSuchEntity.provider(arn)
    return matched["url"]


def without_scheme(url: str) -> str:
    """Raises ValidationError for what is no URL of a provider."""
    if not url.lower().startswith(SCHEME) or not _URL.fullmatch(url[len(SCHEME) :]) or not urlsplit(url).hostname:
        raise ValidationError("Invalid Open ID Connect Provider URL")
    return url[len(SCHEME) :]


def client_ids_in(client_ids: Iterable[str]) -> list[str]:
    """Each once, in their order. Raises QuotaExceeded."""
    once = list(dict.fromkeys(client_ids))
    if len(once) > MOST_CLIENT_IDS:
        raise QuotaExceeded("ClientIdsPerOpenIdConnectProvider", MOST_CLIENT_IDS)
    return once


def thumbprints_in(thumbprints: Iterable[str]) -> list[str]:
    """Raises InvalidInput."""
    given = list(thumbprints)
    if len(given) > MOST_THUMBPRINTS:
        raise InvalidInput(f"Thumbprint list must contain fewer than {MOST_THUMBPRINTS} entries.")
    if not all(map(_THUMBPRINT.fullmatch, given)):
        raise InvalidInput("Thumbprints must be 40 hexadecimal characters.")
    return given
