"""Where a bucket is, and how one gets in."""

from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Access:
    """What of the settings tells how to reach a bucket."""

    bucket: str
    # Of every key, without a slash at its ends.
    prefix: str = ""
    region: str = "us-east-1"
    # http://HOST or https://HOST, perhaps with a port; empty for Amazon's own.
    endpoint: str = ""
    # The same, as clients reach it; empty where they reach it as Berth does.
    public_endpoint: str = ""
    # Where they are not given, AWS's chain finds some: variables, files of AWS, the role of a container or machine.
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = field(default=None, repr=False)
    profile: str | None = None
    # Whether clients fetch blobs from the bucket themselves, or through Berth.
    redirects: bool = True

    def address(self, *, public: bool = False) -> str:
        """The address of the bucket, without a slash at its end.

        Amazon S3 user guide, "Virtual hosting of general purpose buckets": by host at Amazon's, but for names with
        dots, which its certificate does not cover; other servers know the path style, and seldom have a wildcard host.
        """
        endpoint = (self.public_endpoint if public else "") or self.endpoint
        if endpoint:
            return f"{endpoint}/{self.bucket}"
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        if "." in self.bucket:
            return f"https://s3.{self.region}.{suffix}/{self.bucket}"
        return f"https://{self.bucket}.s3.{self.region}.{suffix}"
