"""What somebody names leads Berth nowhere but to public addresses and those that it was allowed to ask."""

import ssl
from ipaddress import ip_address, ip_network

import pytest

from berth.networks.outgoing import Outgoing, OutgoingFailed, permitted


@pytest.mark.parametrize("address", ["8.8.8.8", "140.82.112.3", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_may_be_asked(address: str) -> None:
    assert permitted(ip_address(address), ())


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2001:0:53aa:64c:0:fffe:a9fe:a9fe",
        "2001:db8::1",
        "2002:a9fe:a9fe::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ],
)
def test_others_may_not_unless_their_network_is_allowed(address: str) -> None:
    found = ip_address(address)
    assert not permitted(found, ())
    assert not permitted(found, (ip_network("10.9.0.0/16"), ip_network("fd01::/64")))
    assert permitted(found, (ip_network("0.0.0.0/0"), ip_network("::/0")))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///keys",
        "https://user:secret@example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1:8443/keys",
        "example.com",
        "https://[/",
        "",
    ],
)
async def test_urls_that_lead_elsewhere_are_refused_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(OutgoingFailed) as caught:
        await Outgoing(()).fetch(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "0x7f.1", "2130706433", "017700000001"])
async def test_names_and_numbers_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises(OutgoingFailed):
        await Outgoing(()).fetch(f"https://{host}/")


def test_the_machines_own_authorities_stay_believed() -> None:
    context = Outgoing(())._trust()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
