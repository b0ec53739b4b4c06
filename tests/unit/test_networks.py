"""Networks by name: the narrowest counts, an endpoint that was told of before any address; faults are named."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from berth.networks.network import Network
from berth.networks.places import NetworksInvalid, Places
from berth.settings import SettingsInvalid, load


def places(**networks: dict[str, object]) -> Places:
    return Places({name: Network.model_validate(network) for name, network in networks.items()})


def test_the_narrowest_network_counts() -> None:
    found = places(
        wide={"cidrs": ["10.0.0.0/8", "fd00::/8"], "vpc": "vpc-wide"},
        narrow={"cidrs": ["10.1.0.0/16"], "vpc": "vpc-narrow", "vpce": "vpce-1"},
    )
    assert found.find("10.1.2.3", None).vpc_endpoint == "vpce-1"
    assert found.find("10.2.2.3", None).vpc == "vpc-wide"
    assert found.find("10.2.2.3", None).vpc_endpoint is None
    assert found.find("fd00::1", None).vpc == "vpc-wide"
    assert found.find("192.0.2.1", None).vpc is None
    assert found.find("192.0.2.1", "vpce-1").vpc == "vpc-narrow"
    elsewhere = found.find("10.1.2.3", "vpce-2")
    assert (elsewhere.vpc, elsewhere.vpc_endpoint, elsewhere.policies) == (None, "vpce-2", None)


@pytest.mark.parametrize(
    "network", [{}, {"vpc": "vpc-1"}, {"cidrs": ["10.0.0.1/8"]}, {"vpce": "x"}, {"cidrs": ["::1"], "policy": "f"}]
)
def test_what_is_no_network(network: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        places(one=network)


def test_faults_of_policies_are_faults_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "policy.json"
    for text, reason in ((None, "cannot be read"), ("[", "is not a policy"), ("{}", "is not a policy")):
        if text is not None:
            file.write_text(text)
        with pytest.raises(SettingsInvalid, match=reason):
            load(networks=f'{{"one": {{"vpce": "vpce-1", "policy": "{file}"}}}}')
    with pytest.raises(SettingsInvalid, match="differs there"):
        load(networks={"a": {"vpce": "vpce-1", "vpc": "vpc-1"}, "b": {"vpce": "vpce-1", "vpc": "vpc-2"}})


def test_another_process_is_given_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "berth.toml").write_text('[networks.office]\ncidrs = ["10.0.0.0/8"]\nvpc = "vpc-1"\nvpce = "vpce-1"\n')
    settings = load()
    (tmp_path / "berth.toml").unlink()
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load().networks == settings.networks


def test_an_endpoint_in_two_networks_that_differ_is_told_of() -> None:
    with pytest.raises(NetworksInvalid, match="b: vpce-1 is in another network and differs there"):
        places(a={"vpce": "vpce-1", "vpc": "vpc-1"}, b={"vpce": "vpce-1", "vpc": "vpc-2"})
