"""Entries as rows of the database: every text bounded, and none that could be a secret. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from berth.audit.askers import Asker, claims_of
from berth.audit.entries import MOST_CHARACTERS, Entry
from berth.identity.policies.variables import Context

HOUR = 3600
# Of an ARN (a repository's name has 256 characters, a path and a name of IAM 640), the value of a condition key and
# the reason of a decision.
MOST_OF_ARN = 1024
MOST_KEYS = 100
# User agents that were looked through.
_REMEMBERED = 1024
HIDDEN = "•••"
# What is so long and has no other characters than these may be a secret key (40), a signature (64) or a token. The
# user agents and addresses of clients have spaces, dots and brackets between shorter words.
_SECRET = re.compile(r"[A-Za-z0-9+/=_%-]{32,}")
_NUL_AND_SURROGATES = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class AskerRow:
    id: str
    account: str
    arn: str
    identity_id: str | None
    claims: str
    last_at: datetime


@dataclass(slots=True)
class RequestRow:
    """A row of audited_requests, but for its hour and its account."""

    id: str
    region: str
    principal_id: str
    action: str
    resource: str
    policies_of: str | None
    context: str
    allowed: bool
    reason: str
    requests: int
    first_at: datetime
    last_at: datetime

    def add(self, other: "RequestRow") -> None:
        self.requests += other.requests
        self.first_at, self.last_at = min(self.first_at, other.first_at), max(self.last_at, other.last_at)


def asker_row(entry: Entry) -> AskerRow:
    asker = entry.ruled.principal
    claims = _json(claims_of(asker))
    identity_id = None if isinstance(asker, Asker) else asker.identity_id
    return AskerRow(_hash(claims, asker.account), asker.account, asker.arn, identity_id, claims, _moment(entry.last_at))


def request_row(entry: Entry, principal_id: str) -> RequestRow:
    ruled, how = entry.ruled, entry.circumstances
    context: dict[str, Any] = {
        "ip": how.source_ip,
        "tls": how.secure,
        "vpc": how.vpc,
        "vpce": how.vpc_endpoint,
        # Whose policies were asked, too.
        "endpoint": how.endpoint_policies is not None,
        "more": _bounded(ruled.more),
    }
    said = {"agent": how.user_agent, "referer": how.referer}
    kept = {name: shown(text) for name, text in said.items() if text}
    # Some of what the decision looked at is not as it was.
    is_cut = any(kept[name] != said[name] for name in kept) or context["more"] != ruled.more
    text = _json({**context, **kept, "cut": is_cut})
    resource, policies_of = _plain(ruled.resource, MOST_OF_ARN), ruled.policies_of
    policies_of = None if policies_of is None else _plain(policies_of, MOST_OF_ARN)
    allowed, reason = ruled.decision.allowed, _plain(ruled.reason, MOST_OF_ARN)
    told = (principal_id, how.region, ruled.action, resource, policies_of or "", text, str(allowed), reason)
    return RequestRow(
        id=_hash(*told),
        region=how.region,
        principal_id=principal_id,
        action=ruled.action,
        resource=resource,
        policies_of=policies_of,
        context=text,
        allowed=allowed,
        reason=reason,
        requests=entry.requests,
        first_at=_moment(entry.first_at),
        last_at=_moment(entry.last_at),
    )


def hour_of(seconds: float) -> datetime:
    return _moment(seconds - seconds % HOUR)


@lru_cache(_REMEMBERED)
def shown(text: str) -> str:
    """What is kept of what a client says of itself: bounded, and without what may be a secret."""
    return _plain(_SECRET.sub(HIDDEN, text), MOST_CHARACTERS)


def _bounded(more: Context) -> Mapping[str, Any]:
    """Condition keys, of tags for instance, which whoever asks may fill with anything that they like."""
    return {
        _value(key): _value(value) if isinstance(value, str) else tuple(map(_value, value[:MOST_KEYS]))
        for key, value in list(more.items())[:MOST_KEYS]
    }


def _value(text: str) -> str:
    return _plain(text, MOST_OF_ARN)


def _plain(text: str, most: int) -> str:
    """Without what PostgreSQL does not take for text."""
    text = text[:most]
    return text if text.isascii() and "\0" not in text else _NUL_AND_SURROGATES.sub("?", text)


def _json(value: Any) -> str:
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        text = b""
    # It takes no surrogates, and PostgreSQL's JSON takes no NUL.
    if not text or b"\\u0000" in text:
        text = orjson.dumps(_clean(value), option=orjson.OPT_SORT_KEYS)
    return text.decode()


def _clean(value: Any) -> Any:
    """For JSON: session policies and tags are texts from outside as well."""
    if isinstance(value, str):
        return _NUL_AND_SURROGATES.sub("?", value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, (list, tuple)) else value


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
