"""From a registry to its address, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.names import Registry
from berth.registries.addresses import Addresses, Place
from berth.settings import Settings

HERE = Registry("000000000000", "us-east-1")
OTHER = Registry("123456789012", "eu-central-1")
PATTERN = "{account}.dkr.ecr.{region}.example.com"


def addresses(**settings: object) -> Addresses:
    return Addresses(Settings(**settings))  # type: ignore[arg-type]


def test_path_style_names_the_default_registry_by_the_host_alone_and_any_other_by_its_path() -> None:
    style = addresses()
    assert style.repository_uri(HERE, "team/app") == "localhost:5500/team/app"
    assert style.repository_uri(OTHER, "app") == "localhost:5500/123456789012/eu-central-1/app"
    assert style.endpoint(OTHER) == "http://localhost:5500"


def test_a_host_pattern_names_every_registry_by_its_host() -> None:
    style = addresses(registry_host=PATTERN, registry_scheme="https")
    assert style.repository_uri(OTHER, "app") == "123456789012.dkr.ecr.eu-central-1.example.com/app"
    assert style.endpoint(HERE) == "https://000000000000.dkr.ecr.us-east-1.example.com"


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("localhost:5500", "team/app", Place(HERE, "team/app")),
        ("127.0.0.1", "team/app", Place(HERE, "team/app")),
        ("", "team/app", Place(HERE, "team/app")),
        ("localhost", "123456789012/eu-central-1/team/app", Place(OTHER, "team/app")),
        ("localhost", "123456789012/eu-central-1", Place(OTHER, "")),
        ("localhost", "123456789012/team", Place(HERE, "123456789012/team")),
        ("123456789012.dkr.ecr.eu-central-1.example.com", "app", Place(OTHER, "app")),
        ("123456789012.DKR.ecr.eu-central-1.example.com:443", "app", Place(OTHER, "app")),
        ("x123456789012.dkr.ecr.eu-central-1.example.com", "app", Place(HERE, "app")),
        ("123456789012.dkr.ecr.nowhere.example.com", "app", Place(HERE, "app")),
        ("images.example.com", "app", Place(OTHER, "app")),
        ("IMAGES.example.com:8443", "app", Place(OTHER, "app")),
    ],
)
def test_host_patterns_vanity_hosts_and_path_style_work_at_once(host: str, path: str, expected: Place) -> None:
    style = addresses(registry_host=PATTERN, registry_aliases={"images.example.com": "123456789012/eu-central-1"})
    assert style.find(host, path) == expected


@given(
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.sampled_from(["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2"]),
    st.sampled_from(["", PATTERN, "{account}-{region}.example.com:5500", "registry.example.com"]),
)
def test_the_address_of_a_registry_leads_back_to_it(account: str, region: str, pattern: str) -> None:
    style = addresses(registry_host=pattern)
    registry = Registry(account, region)
    host, _, path = style.repository_uri(registry, "team/app").partition("/")
    assert style.find(host, path) == Place(registry, "team/app")
