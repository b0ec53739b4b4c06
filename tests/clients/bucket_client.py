"""A registry client that follows Berth's redirects into a bucket, as the others do."""

import hashlib
import urllib.request

from .plain_client import PlainClient


class BucketClient(PlainClient):
    """Goes to the bucket where Berth sends it there."""

    def pulled(self, repository: str, digest: str, byte_range: str | None = None) -> tuple[bytes, bool]:
        """The bytes, and whether they came from the bucket itself."""
        status = 206 if byte_range else 200
        headers = {"range": byte_range} if byte_range else {}
        path = f"/v2/{repository}/blobs/{digest}"
        with self._answer("GET", path, (status, 307), headers=headers) as answer:
            content, location = answer.read(), answer.getheader("location")
        if location is None:
            return content, False
        # Without the password: it is none of the bucket's business.
        with urllib.request.urlopen(urllib.request.Request(location, headers=headers), timeout=60) as answer:
            assert answer.status == status
            return answer.read(), True

    def pulled_digest(self, repository: str, digest: str) -> str:
        return f"sha256:{hashlib.sha256(self.pulled(repository, digest)[0]).hexdigest()}"

    def head(self, repository: str, digest: str) -> int:
        """The size of the blob."""
        return int(self._ask("HEAD", f"/v2/{repository}/blobs/{digest}", 200)["content-length"])

    def mount(self, source: str, target: str, digest: str) -> None:
        self._ask("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={source}", 201)

    def delete(self, repository: str, digest: str) -> None:
        self._ask("DELETE", f"/v2/{repository}/blobs/{digest}", 202)

    def begin(self, repository: str) -> str:
        return self._ask("POST", f"/v2/{repository}/blobs/uploads/", 202)["location"]

    def patch(self, location: str, content: bytes) -> str:
        return self._ask("PATCH", location, 202, body=[content])["location"]

    def put(self, location: str, digest: str) -> None:
        self._ask("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", 201)
