"""`berth up` with a certificate: all that Berth says of itself is https, and a new certificate needs no restart."""

import http.client
import json
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.authority import Authority
from tests.berth_process import BerthProcess, launching_berth, starting_berth


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def files(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return authority.issue(tmp_path_factory.mktemp("files"))


def variables(files: dict[str, Path]) -> dict[str, str]:
    return {f"BERTH_{name.upper()}": str(file) for name, file in files.items()}


@pytest.fixture(scope="module")
def berth(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[BerthProcess]:
    given = {**variables(files), "BERTH_REGISTRY_PROCESSES": "2"}
    with starting_berth(tmp_path_factory.mktemp("tls") / "data", **given) as berth:
        yield berth


def test_clients_that_trust_the_authority_use_all_of_it(
    berth: BerthProcess, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = berth.exports()
    assert exports["AWS_ENDPOINT_URL_ECR"] == berth.api_url
    for name, value in {**exports, "AWS_CA_BUNDLE": str(authority.file)}.items():
        monkeypatch.setenv(name, value)
    # Not the session that other tests of this process have had their credentials in.
    ecr = boto3.Session().client("ecr")
    assert ecr.create_repository(repositoryName="tls")["repository"]["repositoryUri"] == f"{berth.registry_host}/tls"
    (given,) = ecr.get_authorization_token()["authorizationData"]
    assert given["proxyEndpoint"] == f"https://{berth.registry_host}"
    host, _, port = berth.registry_host.rpartition(":")
    client = http.client.HTTPSConnection(host, int(port), context=authority.trusting())
    client.request("GET", "/v2/")
    with client.getresponse() as challenge:
        challenge.read()
        assert challenge.status == 401
        expected = f'Basic realm="https://{berth.registry_host}/",service="ecr.amazonaws.com"'
        assert challenge.headers["WWW-Authenticate"] == expected
    client.request("GET", "/v2/", headers={"Authorization": f"Basic {given['authorizationToken']}"})
    with client.getresponse() as answer:
        answer.read()
        assert answer.status == 200
    client.close()


def test_the_doctor_looks_at_the_certificate(berth: BerthProcess, files: dict[str, Path]) -> None:
    done = berth.run("doctor")
    assert "✓ certificate  for berth.test, localhost, 127.0.0.1, until" in done.stdout
    assert f"✓ data plane   ready at {berth.registry_url}" in done.stdout
    files["tls_key"].chmod(0o644)
    done = berth.run("doctor")
    files["tls_key"].chmod(0o600)
    assert done.returncode == 1
    assert f"✗ TLS key      others may read {files['tls_key']}\n  → chmod 600 {files['tls_key']}" in done.stdout


def test_the_doctor_warns_of_the_end(
    berth: BerthProcess, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days, words in ((5, "✗ certificate"), (-1, "it is not valid now")):
        for name, value in variables(authority.issue(tmp_path, days=days)).items():
            monkeypatch.setitem(berth.environment, name, value)
        done = berth.run("doctor")
        assert words in done.stdout
        assert "renew it; a running Berth takes the new one" in done.stdout


def test_a_new_certificate_is_taken_at_sighup(
    berth: BerthProcess, authority: Authority, files: dict[str, Path]
) -> None:
    def shown() -> bytes:
        host, _, port = berth.registry_host.rpartition(":")
        with (
            socket.create_connection((host, int(port)), 10) as plain,
            authority.trusting().wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            return connection.getpeercert(binary_form=True) or b""

    old = shown()
    authority.issue(files["tls_key"].parent)
    planes = [berth.child(name) for name in ("controlplane", "dataplane-1", "dataplane-2")]
    for plane in planes:
        plane.send_signal(signal.SIGHUP)
    berth.wait_until(lambda: berth.log.count("new connections get the new certificate") == 3)
    new = ssl.PEM_cert_to_DER_cert(files["tls_certificate"].read_text())
    assert [shown() for _ in range(6)] == [new] * 6
    assert new != old
    assert all(plane.is_running() for plane in planes)


def test_what_is_wrong_with_the_files_is_said_at_the_start(
    files: dict[str, Path], authority: Authority, tmp_path: Path
) -> None:
    other = authority.issue(tmp_path)
    for given, words in (
        ({"tls_certificate": files["tls_certificate"]}, "tls_certificate and tls_key: give both, or neither"),
        ({**files, "tls_key": tmp_path / "none"}, f"BERTH_TLS_KEY: cannot read {tmp_path / 'none'}"),
        ({**files, "tls_key": other["tls_key"]}, "does not belong to the certificate"),
    ):
        with launching_berth(tmp_path / "data", **variables(given)) as berth:
            assert berth.process.wait(60) in (1, 2)
        assert words in berth.log
        assert "Traceback" not in berth.log


def test_behind_a_balancer_it_knows_whether_it_is_ready(files: dict[str, Path], tmp_path: Path) -> None:
    """Where nobody but a balancer may connect, by the PROXY protocol and then TLS."""
    given = {f"BERTH_{plane}_PROXY_PROTOCOL": "true" for plane in ("API", "REGISTRY")}
    given |= {**variables(files), "BERTH_TRUSTED_PROXIES": "192.0.2.0/24"}
    with launching_berth(tmp_path / "data", **given) as berth:
        berth.wait_for_log("Ctrl-C stops it", 60)
        assert berth.run("ready").stdout == "api: ready\nregistry: ready\n"
        for name in given:
            del berth.environment[name]
        done = berth.run("ready")
        assert (done.returncode, done.stdout) == (0, "api: ready\nregistry: ready\n"), "it asks the berth up that runs"
        assert not berth.is_ready(), "others have no way in"


def test_an_endpoint_for_clients_is_what_env_exports(berth: BerthProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(berth.environment, "BERTH_API_ENDPOINT", "https://api.example.com")
    assert berth.exports()["AWS_ENDPOINT_URL_STS"] == "https://api.example.com"


def test_the_log_says_nothing_of_the_key(berth: BerthProcess) -> None:
    assert "PRIVATE KEY" not in berth.log
    lines = [json.loads(line) for line in berth.log.splitlines() if line.startswith("{")]
    assert not [line for line in lines if line["level"] == "error"]
