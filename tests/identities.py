"""Users and roles of a test's account, each with the policies that the test gives them."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from berth import changes, schema
from berth.database.db import Database
from berth.identity.arns import Kind
from berth.identity.credentials import access_keys
from berth.identity.credentials.access_keys import AccessKey
from berth.identity.directory import identities, inline_policies, keys, users
from berth.identity.directory.identities import Identity
from berth.identity.principals import Principal, Session
from berth.sealing import Seal

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allowing(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def denying(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allowing(*actions, resource=resource, **more), "Effect": "Deny"}


@dataclass(frozen=True)
class Identities:
    """Whom there is in an account, beside its root, which must have a key."""

    database: Database
    seal: Seal
    account: str

    async def user(self, name: str, *statements: dict[str, Any], **more: Any) -> AccessKey:
        """A new user with these statements in an inline policy; the key of theirs."""
        user = await users.create(
            self.database, self.account, more.pop("path", "/"), name, more.pop("tags", {}), **more
        )
        if statements:
            await self.let("user", name, *statements)
        return await self.key_of(user)

    async def key_of(self, user: Identity) -> AccessKey:
        key, _ = await keys.create(self.database, self.seal, keys.Owner(self.account, user))
        found = await access_keys.find(self.database, self.seal, key.id)
        assert found is not None
        return found

    async def let(self, kind: Kind, name: str, *statements: dict[str, Any]) -> None:
        """Let the inline policy of the user, group or role say this and no more."""
        await inline_policies.put(self.database, self.account, kind, name, "inline", document(*statements))

    async def role_session(
        self, role: str, *statements: dict[str, Any], name: str = "session", path: str = "/", **session: Any
    ) -> Principal:
        """A session of a new role with these statements in an inline policy."""
        made = await identities.create(self.database, self.account, "role", path, role, trust_policy="{}")
        if statements:
            await self.let("role", role, *statements)
        now = int(time.time())
        key_id = f"ASIA{secrets.token_hex(8).upper()}"
        given = Session(**{"issued_at": now, "expires_at": now + 3600, **session})
        return Principal.role_session(self.account, role, made.id, name, key_id, given)

    async def control(self, *statements: dict[str, Any]) -> None:
        """Let the account do no more than this."""
        row = {"account": self.account, "name": "limits", "document": document(*statements)}
        async with self.database.transaction() as connection:
            await connection.execute(insert(schema.service_control_policies).values(row))
            await changes.tell_of(connection, changes.of_account(self.account))
