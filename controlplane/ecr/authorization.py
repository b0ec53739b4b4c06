"""Passwords for the registry (ECR API reference, "GetAuthorizationToken")."""

import base64
from datetime import UTC, datetime

from berth.names import Registry
from controlplane.call import Call, operation
from controlplane.wire.model import Members

USER = "AWS"


@operation("GetAuthorizationToken")
async def get_authorization_token(call: Call, request: Members) -> Members:
    """One password is good for every registry that the caller may use; `registryIds` only says which hosts to name."""
    password, expires_at = call.opened.keyring.close_password(call.principal)
    token = base64.b64encode(f"{USER}:{password}".encode()).decode()
    registries = [Registry(account, call.registry.region) for account in dict.fromkeys(request.get("registryIds", []))]
    return {
        "authorizationData": [
            {
                "authorizationToken": token,
                "expiresAt": datetime.fromtimestamp(expires_at, UTC),
                "proxyEndpoint": call.opened.addresses.endpoint(registry),
            }
            for registry in registries or [call.registry]
        ]
    }
