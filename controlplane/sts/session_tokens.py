"""Temporary credentials of the caller itself (STS API reference, "GetSessionToken")."""

import time
from dataclasses import replace

from berth.errors import AccessDenied
from berth.identity.principals import Kind, Session
from berth.identity.sts import sessions
from controlplane.call import Call, operation
from controlplane.sts import shapes
from controlplane.sts.second_factor import second_factor_of
from controlplane.wire.model import Members

DEFAULT_SECONDS = 12 * 3600
MOST_SECONDS_OF_ROOT = 3600


@operation("GetSessionToken", service="sts")
async def get_session_token(call: Call, request: Members) -> Members:
    principal = call.principal
    if principal.session is not None:
        raise AccessDenied("Cannot call GetSessionToken with session credentials")
    with_second_factor = await second_factor_of(call, request)
    seconds = request.get("DurationSeconds", DEFAULT_SECONDS)
    if principal.kind is Kind.ROOT:
        seconds = min(seconds, MOST_SECONDS_OF_ROOT)
    now = int(time.time())
    authenticated_at = now if with_second_factor else None
    session = Session(issued_at=now, expires_at=now + seconds, authenticated_at=authenticated_at)
    credentials = sessions.issued(call.opened.keyring, replace(principal, session=session))
    return {"Credentials": shapes.credentials_of(credentials)}
