"""An OpenID Connect provider on a real socket with TLS: its discovery document, its keys, and the tokens it signs."""

import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.authority import Authority


def rsa_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


def ec_key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})


@dataclass
class OidcServer:
    """`keys` are those it publishes; `asked` counts the requests for each path; `answers` replaces answers by path."""

    host: str
    authority: Path
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [rsa_key("first")])
    asked: dict[str, int] = field(default_factory=dict)
    answers: dict[str, web.Response] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"https://{self.host}"

    def token(self, claims: dict[str, Any], key: RSAKey | ECKey | None = None, **header: Any) -> str:
        """A token with these claims and those that every one has."""
        now = int(time.time())
        chosen = self.keys[0] if key is None else key
        algorithm = "ES256" if isinstance(chosen, ECKey) else "RS256"
        whole = {"iss": self.issuer, "iat": now, "nbf": now, "exp": now + 600, **claims}
        given = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": chosen.kid, **header}, given, chosen)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked[request.path] = self.asked.get(request.path, 0) + 1
        if request.path in self.answers:
            return self.answers[request.path]
        if request.path == "/.well-known/openid-configuration":
            return web.json_response({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"})
        if request.path == "/keys":
            return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})
        return web.Response(status=404)


@contextlib.asynccontextmanager
async def running_oidc(folder: Path) -> AsyncIterator[OidcServer]:
    authority = Authority(folder)
    files = authority.issue(folder, names=("localhost",))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files["tls_certificate"], files["tls_key"])
    server = OidcServer("", authority.file)
    app = web.Application()
    app.router.add_get("/{path:.*}", server._answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    server.host = f"localhost:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
