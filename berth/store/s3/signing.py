"""Signatures on requests to a bucket, with credentials that may change while Berth runs."""

import asyncio
import time

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from berth import logs
from berth.store.contract import StoreUnavailable
from berth.store.s3.access import Access

# Temporary ones are renewed from ten minutes before their end on.
LOOK_AGAIN_SECONDS = 60.0
UNSIGNED = "UNSIGNED-PAYLOAD"


class _Auth(S3SigV4Auth):  # type: ignore[misc]
    """Is told the hash of the body: whoever made the body knows it, or sends another checksum."""

    def payload(self, request: AWSRequest) -> str:
        return str(request.context["body_sha256"])


class Signer:
    """Signs for one bucket."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._found: Credentials | None = None
        self._current: ReadOnlyCredentials | None = None
        self._looked_at = float("-inf")

    async def sign(self, method: str, url: str, headers: dict[str, str], body_sha256: str) -> dict[str, str]:
        """`headers` and those that prove the request. Raises StoreUnavailable."""
        request = AWSRequest(method, url, headers=headers)
        request.context["body_sha256"] = body_sha256
        _Auth(await self._credentials(), "s3", self._access.region).add_auth(request)
        return dict(request.headers.items())

    async def presign(self, method: str, url: str, seconds: int) -> str:
        """An address at which whoever has it may use `method` for so long. Raises StoreUnavailable."""
        request = AWSRequest(method, url)
        S3SigV4QueryAuth(await self._credentials(), "s3", self._access.region, expires=seconds).add_auth(request)
        return str(request.url)

    async def _credentials(self) -> ReadOnlyCredentials:
        if self._current is None or time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
            try:
                self._current = await asyncio.to_thread(self._look)
            except BotoCoreError as error:
                raise StoreUnavailable(f"the credentials of the store cannot be had: {type(error).__name__}") from error
            self._looked_at = time.monotonic()
        return self._current

    def _look(self) -> ReadOnlyCredentials:
        if self._found is None:
            self._found = self._find()
        current = self._found.get_frozen_credentials()
        logs.hide(current.secret_key)
        logs.hide(current.token)
        return current

    def _find(self) -> Credentials:
        access = self._access
        if access.access_key_id and access.secret_access_key:
            return Credentials(access.access_key_id, access.secret_access_key.get_secret_value())
        found = Session(profile=access.profile).get_credentials()
        if found is None:
            raise StoreUnavailable(
                "there are no credentials for the store: set BERTH_S3_ACCESS_KEY_ID and BERTH_S3_SECRET_ACCESS_KEY, "
                "or any that AWS's tools find"
            )
        return found
