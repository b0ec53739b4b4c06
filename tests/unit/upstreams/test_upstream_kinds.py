"""At which address each kind of upstream registry is, and what it asks for."""

import pytest

from berth.errors import InvalidParameter, SecretNotFound, UnableToAccessSecret, UnsupportedUpstreamRegistry
from berth.names import Registry
from berth.upstreams import kinds
from berth.upstreams.kinds import Kind

REGISTRY = Registry("111122223333", "eu-west-1")
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf"
ROLE = "arn:aws:iam::111122223333:role/service-role/cache"
OTHER_ECR = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
ADDRESSES = {
    "public.ecr.aws": Kind.ECR_PUBLIC,
    "quay.io": Kind.QUAY,
    "registry.k8s.io": Kind.K8S,
    "registry-1.docker.io": Kind.DOCKER_HUB,
    "ghcr.io": Kind.GITHUB,
    "registry.gitlab.com": Kind.GITLAB,
    "cgr.dev": Kind.CHAINGUARD,
    "myregistry.azurecr.io": Kind.AZURE,
    OTHER_ECR: Kind.ECR,
    "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn": Kind.ECR,
    "444455556666.dkr.ecr.eu-west-1.registry.example.com:5500": Kind.ECR,
}


def test_every_kind_of_the_model_has_an_address() -> None:
    assert {kinds.kind_of(url): kind for url, kind in ADDRESSES.items()} == {kind: kind for kind in Kind}


@pytest.mark.parametrize(
    "url",
    [
        "docker.io",
        "https://quay.io",
        "quay.io/",
        "QUAY.IO",
        ".azurecr.io",
        "azurecr.io",
        "my.registry.azurecr.io",
        "44445555666.dkr.ecr.eu-west-1.amazonaws.com",
        "444455556666.dkr.ecr.nowhere.amazonaws.com",
        "444455556666.dkr.ecr.eu-west-1.amazonaws.com/team",
        "user@444455556666.dkr.ecr.eu-west-1.amazonaws.com",
        "169.254.169.254",
        "localhost:5000",
        "",
        "a" * 100_000,
    ],
)
def test_no_other_address_is_that_of_an_upstream_registry(url: str) -> None:
    with pytest.raises(UnsupportedUpstreamRegistry, match="isn't supported"):
        kinds.kind_of(url)


@pytest.mark.parametrize("kind", sorted(kinds.NEEDING_A_SECRET))
def test_registries_that_know_their_callers_need_a_secret(kind: Kind) -> None:
    url = next(url for url, found in ADDRESSES.items() if found is kind)
    with pytest.raises(UnsupportedUpstreamRegistry) as caught:
        kinds.check(REGISTRY, url, credential=None, role=None)
    assert caught.value.message == (
        "The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN"
    )
    assert kinds.check(REGISTRY, url, credential=SECRET, role=None) is kind


@pytest.mark.parametrize("url", ["public.ecr.aws", "quay.io", "registry.k8s.io"])
def test_open_registries_need_none_and_may_have_one(url: str) -> None:
    for credential in (None, SECRET):
        assert kinds.check(REGISTRY, url, credential=credential, role=None) is ADDRESSES[url]


def test_the_ecr_of_another_account_needs_a_role() -> None:
    with pytest.raises(UnsupportedUpstreamRegistry, match="IAM role"):
        kinds.check(REGISTRY, OTHER_ECR, credential=None, role=None)
    assert kinds.check(REGISTRY, OTHER_ECR, credential=None, role=ROLE) is Kind.ECR


def test_the_own_ecr_in_another_region_needs_none_and_the_registry_itself_is_no_upstream() -> None:
    own = "111122223333.dkr.ecr.{}.amazonaws.com"
    assert kinds.check(REGISTRY, own.format("us-east-1"), credential=None, role=None) is Kind.ECR
    with pytest.raises(InvalidParameter, match="own upstream"):
        kinds.check(REGISTRY, own.format("eu-west-1"), credential=None, role=None)


def test_ecr_takes_no_secret_and_the_others_no_role() -> None:
    with pytest.raises(InvalidParameter, match="credentialArn"):
        kinds.check(REGISTRY, OTHER_ECR, credential=SECRET, role=ROLE)
    with pytest.raises(InvalidParameter, match="customRoleArn"):
        kinds.check(REGISTRY, "ghcr.io", credential=SECRET, role=ROLE)


def test_a_secret_is_in_the_account_and_the_region_of_the_rule() -> None:
    with pytest.raises(SecretNotFound):
        kinds.check(REGISTRY, "ghcr.io", credential=SECRET.replace("eu-west-1", "eu-west-2"), role=None)
    with pytest.raises(UnableToAccessSecret):
        kinds.check(REGISTRY, "ghcr.io", credential=SECRET.replace("1111", "9999"), role=None)
    with pytest.raises(UnableToAccessSecret):
        kinds.check_secret(REGISTRY, "arn:aws:secretsmanager:x:secret:ecr-pullthroughcache/such-as-the-model-lets-pass")


@pytest.mark.parametrize(
    "arn", ["", "role", ROLE.replace("1111", "9999"), ROLE.replace(":role/", ":user/"), ROLE + "\n"]
)
def test_a_role_is_one_of_the_account(arn: str) -> None:
    with pytest.raises(InvalidParameter, match="customRoleArn"):
        kinds.check(REGISTRY, OTHER_ECR, credential=None, role=arn)
