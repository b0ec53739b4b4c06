"""Credentials for somebody without any of their own, by the key of a user (STS API reference, "GetFederationToken")."""

import time
from dataclasses import replace

from berth.errors import AccessDenied
from berth.identity.credentials.passwords import KeyRing
from berth.identity.principals import Kind, Principal
from berth.identity.sts import session_requests, sessions
from berth.identity.sts.session_requests import Wanted
from berth.identity.sts.sessions import Credentials

DEFAULT_SECONDS = 12 * 3600
MOST_SECONDS_OF_ROOT = 3600


def federate(keyring: KeyRing, caller: Principal, wanted: Wanted) -> tuple[Credentials, int | None]:
    """The credentials of a federated user, and the part, in percent, of the room for policies and tags that they take.

    What it may do is what the caller and the session policies allow, both; without session policies, what a policy on
    a resource allows it by its name.

    Raises AccessDenied, MalformedPolicyDocument, PackedPolicyTooLarge, InvalidParameterValue, ValidationError.
    """
    if caller.session is not None:
        raise AccessDenied("Cannot call GetFederationToken with session credentials")
    session_requests.check_tags(wanted)
    packed = session_requests.check_policies(wanted)
    seconds = DEFAULT_SECONDS if wanted.seconds is None else wanted.seconds
    if caller.kind is Kind.ROOT:
        seconds = min(seconds, MOST_SECONDS_OF_ROOT)
    session = session_requests.session(wanted, int(time.time()), seconds)
    session = replace(session, federated_by=caller.identity_id)
    return sessions.issued(keyring, Principal.federated_user(caller.account, wanted.name, "", session)), packed
