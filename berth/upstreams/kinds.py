"""The kinds of upstream registries: at which address each is, and what it wants to know of the caller. Pure.

ECR API reference, "CreatePullThroughCacheRule", `upstreamRegistryUrl`; ECR user guide, "Sync an upstream registry with
an Amazon ECR private registry".
"""

import re
from enum import StrEnum

from berth.errors import InvalidParameter, SecretNotFound, UnableToAccessSecret, UnsupportedUpstreamRegistry
from berth.identity import roles
from berth.names import ACCOUNT, REGION, Registry

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# Amazon's own registries, and those of every Berth whose hosts are named like them.
_ECR = re.compile(
    rf"(?P<account>{ACCOUNT.pattern})\.dkr\.ecr\.(?P<region>{REGION.pattern})\.{_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?"
)
_AZURE = re.compile(rf"{_LABEL}\.azurecr\.io")


class Kind(StrEnum):
    """ECR API reference, `upstreamRegistry`."""

    ECR = "ecr"
    ECR_PUBLIC = "ecr-public"
    QUAY = "quay"
    K8S = "k8s"
    DOCKER_HUB = "docker-hub"
    GITHUB = "github-container-registry"
    AZURE = "azure-container-registry"
    GITLAB = "gitlab-container-registry"
    CHAINGUARD = "chainguard"


_HOSTS = {
    "public.ecr.aws": Kind.ECR_PUBLIC,
    "quay.io": Kind.QUAY,
    "registry.k8s.io": Kind.K8S,
    "registry-1.docker.io": Kind.DOCKER_HUB,
    "ghcr.io": Kind.GITHUB,
    "registry.gitlab.com": Kind.GITLAB,
    "cgr.dev": Kind.CHAINGUARD,
}
NEEDING_A_SECRET = frozenset({Kind.DOCKER_HUB, Kind.GITHUB, Kind.AZURE, Kind.GITLAB, Kind.CHAINGUARD})


def kind_of(url: str) -> Kind:
    """The kind of the registry at `url`, which is a host without a scheme. Raises UnsupportedUpstreamRegistry."""
    if url in _HOSTS:
        return _HOSTS[url]
    if ecr_at(url):
        return Kind.ECR
    if _AZURE.fullmatch(url):
        return Kind.AZURE
    raise UnsupportedUpstreamRegistry.unknown()


def ecr_at(url: str) -> Registry | None:
    """Which registry of an ECR is at `url`; None for any other address."""
    matched = _ECR.fullmatch(url)
    return None if matched is None else Registry(matched["account"], matched["region"])


def check(registry: Registry, url: str, *, credential: str | None, role: str | None) -> Kind:
    """The kind of the registry at `url`, once it is sure that a rule of `registry` has what the upstream asks for.

    `credential` is the ARN of a secret, `role` that of an IAM role. Raises UnsupportedUpstreamRegistry, also where the
    one that the upstream asks for is missing, InvalidParameter, and as `check_secret` does.
    """
    kind = kind_of(url)
    upstream = ecr_at(url)
    if upstream == registry:
        raise InvalidParameter("upstreamRegistryUrl", "A registry can't be its own upstream registry")
    if upstream is not None and upstream.account != registry.account and role is None:
        raise UnsupportedUpstreamRegistry.needing("IAM role ARN")
    if kind in NEEDING_A_SECRET and credential is None:
        raise UnsupportedUpstreamRegistry.needing("Secrets Manager ARN")
    check_authentication(registry, kind, credential=credential, role=role)
    return kind


def check_authentication(registry: Registry, kind: Kind, *, credential: str | None, role: str | None) -> None:
    """A role is for ECR, a secret for all others. Raises InvalidParameter, and as `check_secret` does."""
    if role is not None:
        if kind is not Kind.ECR:
            raise InvalidParameter("customRoleArn", f"A role is for the upstream registry ecr only, not for {kind}")
        roles.check(registry, role)
    if credential is not None:
        if kind is Kind.ECR:
            raise InvalidParameter("credentialArn", "The upstream registry ecr takes a role, not a secret")
        check_secret(registry, credential)


def check_secret(registry: Registry, arn: str) -> None:
    """ECR reads a rule's secret in the account and region of the rule only.

    Raises SecretNotFound for one of another region, UnableToAccessSecret for one of another account.
    """
    _, _, _, region, account, *_ = arn.split(":", 5)
    if account != registry.account:
        raise UnableToAccessSecret
    if region != registry.region:
        raise SecretNotFound
