"""Becoming a role by a token of an identity provider (STS API reference, "AssumeRoleWithWebIdentity")."""

from berth.errors.iam import ValidationError
from berth.identity.sts import web_identity
from controlplane.strangers import StrangersCall, for_anybody
from controlplane.sts import shapes
from controlplane.wire.model import Members


@for_anybody("AssumeRoleWithWebIdentity")
async def assume_role_with_web_identity(call: StrangersCall, request: Members) -> Members:
    if "ProviderId" in request:
        # It is for providers of OAuth 2.0 access tokens, two companies.
        raise ValidationError("ProviderId is only for OAuth 2.0 access tokens, which are not taken here")
    found = await web_identity.assume(
        call.database,
        call.opened.keyring,
        call.keys,
        call.circumstances,
        request["RoleArn"],
        request["WebIdentityToken"],
        shapes.wanted_of(request),
        call.opened.audit,
    )
    call.uses.note_role(found.role_id, call.circumstances.region)
    return {
        "Credentials": shapes.credentials_of(found.credentials),
        "SubjectFromWebIdentityToken": found.token.subject,
        "AssumedRoleUser": shapes.role_user_of(found.credentials),
        "PackedPolicySize": found.packed,
        "Provider": found.provider.arn,
        "Audience": found.token.audience,
        "SourceIdentity": found.source_identity,
    }
