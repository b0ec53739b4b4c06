"""The shapes of STS's answers and requests."""

from datetime import UTC, datetime

from berth.identity.sts.session_requests import Wanted
from berth.identity.sts.sessions import Credentials
from controlplane.wire.model import Members


def credentials_of(credentials: Credentials) -> Members:
    """The shape `Credentials`."""
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret,
        "SessionToken": credentials.token,
        "Expiration": datetime.fromtimestamp(credentials.expires_at, UTC),
    }


def role_user_of(credentials: Credentials) -> Members:
    """The shape `AssumedRoleUser`."""
    return {"AssumedRoleId": credentials.principal.user_id, "Arn": credentials.principal.arn}


def wanted_of(request: Members, *, with_second_factor: bool = False) -> Wanted:
    return Wanted(
        name=request["RoleSessionName"] if "RoleSessionName" in request else request["Name"],
        seconds=request.get("DurationSeconds"),
        policy=request.get("Policy"),
        policy_arns=tuple(each.get("arn", "") for each in request.get("PolicyArns", [])),
        tags=tuple((tag["Key"], tag["Value"]) for tag in request.get("Tags", [])),
        transitive_tag_keys=tuple(request.get("TransitiveTagKeys", [])),
        source_identity=request.get("SourceIdentity"),
        with_second_factor=with_second_factor,
    )
