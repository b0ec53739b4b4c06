"""Signature Version 4 in a query string, as presigned URLs have it (IAM user guide, "Authentication methods")."""

from urllib.parse import unquote

from controlplane.wire.faults import IncompleteSignature

ALGORITHM, CREDENTIAL, SIGNATURE = "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"
SIGNED_HEADERS, DATE, TOKEN = "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Security-Token"
REQUIRED = (ALGORITHM, CREDENTIAL, SIGNATURE, SIGNED_HEADERS, DATE)
# Each of these alone says that a request means to be signed here.
_TELLING = {ALGORITHM, CREDENTIAL, SIGNATURE}


def given(query: str) -> dict[str, str]:
    """What a query string says about its signature, by name; nothing where the request is not signed there.

    Raises IncompleteSignature for what is said twice.
    """
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        name = unquote(name)
        if name in found:
            raise IncompleteSignature(f"The query-string parameter '{name}' is given more than once")
        if name in REQUIRED or name == TOKEN:
            found[name] = unquote(value, errors="surrogateescape")
    return found if _TELLING & found.keys() else {}


def check_complete(parameters: dict[str, str]) -> None:
    """Raises IncompleteSignature. How long a URL says it holds is not asked: as at STS, 15 minutes whatever it says."""
    lacking = [f"AWS query-string parameters must include '{name}'." for name in REQUIRED if not parameters.get(name)]
    if lacking:
        raise IncompleteSignature(f"{' '.join(lacking)} Re-examine the query-string parameters.")
