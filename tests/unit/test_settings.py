"""Flags come before variables, variables before the file, the file before the defaults; errors name the setting."""

from pathlib import Path

import pytest

from berth.settings import Settings, SettingsInvalid, load
from berth.settings.faults import unknown_variables


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_first_source_that_has_a_setting_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().region == "us-east-1"
    Path("berth.toml").write_text('region = "eu-west-1"\n')
    assert load().region == "eu-west-1"
    monkeypatch.setenv("BERTH_REGION", "eu-west-2")
    assert load().region == "eu-west-2"
    assert load(region="eu-west-3").region == "eu-west-3"


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_DATABASE_URL", "")
    monkeypatch.setenv("BERTH_REGION", "")
    assert load().database_url is None
    assert load().region == "us-east-1"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("api_listen", "4500", "'4500' is not HOST:PORT, such as localhost:4500"),
        ("registry_listen", "localhost:99999", "'localhost:99999' is not HOST:PORT, such as localhost:4500"),
        ("account_id", "12", "'12' is not an account id of 12 digits"),
        ("region", "Mars", "'Mars' is not a region"),
        ("store", "ftp://bucket", "'ftp://bucket' is not file:///FOLDER or s3://BUCKET/PREFIX"),
        ("store_also", "s3://Bucket", "'Bucket' is not the name of a bucket"),
        ("store", "s3://bucket/a/../b", "'a/../b' is not a prefix of letters, digits, '.', '_', '-' and '/'"),
        ("store", "s3://key:canary@bucket", "credentials do not belong into the address of a bucket"),
        ("store", "s3://bucket?acl=public", "'acl' is not endpoint, region or profile"),
        ("registry_host", "{account}.example.com", "must hold both {account} and {region}"),
        ("registry_aliases", "images.example.com", "it is not JSON such as"),
        ("registry_aliases", '{"images.example.com": "me"}', "write ACCOUNT/REGION"),
        ("throttling_rates", "PutImage=3", 'it is not JSON such as {"PutImage": 100'),
        ("throttling_rates", '{"PushImage": 3}', "there is no operation of ECR named 'PushImage'"),
        ("throttling_rates", '{"PutImage": -1}', "the rate of PutImage must be a number from 0 to 1000000"),
        ("throttling_factor", "0", "input should be greater than 0"),
        ("throttling", "maybe", "input should be 'on' or 'off'"),
        ("registry_scheme", "ftp", "input should be 'http' or 'https'"),
        ("trusted_proxies", "10.0.0.1/8", "has host bits set; write addresses and networks such as 10.0.0.0/8, ::1"),
        ("api_endpoint", "api.example.com", "'api.example.com' is not http://HOST or https://HOST"),
        ("api_endpoint", "https://api.example.com/path", "and nothing after it"),
        ("registry_processes", "0", "input should be greater than or equal to 1"),
        ("max_connections", "1", "input should be greater than or equal to 16"),
        ("upload_expiry_hours", "0", "input should be greater than or equal to 1"),
        ("recovery_window", "soon", "'soon' is not a length of time such as 24h, 90m, 7d or 0"),
        ("layer_expiry", "-1h", "'-1h' is not a length of time such as 24h, 90m, 7d or 0"),
        ("recovery_window", "9999d", "'9999d' is longer than ten years"),
        ("collection_minutes", "0", "input should be greater than or equal to 1"),
        ("upload_expiry_hours", "soon", "input should be a valid integer"),
        ("log_level", "loud", "input should be 'debug', 'info', 'warning' or 'error'"),
        ("database_url", "mysql://root:canary@host/x", "it is not postgresql://USER:PASSWORD@HOST/DATABASE"),
        ("root_access_key_id", "../etc", "it is not an access key id"),
        ("root_secret_access_key", "canary", "it is shorter than 8 characters"),
    ],
)
def test_an_error_names_the_setting_as_it_was_given(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsInvalid) as as_flag:
        load(**{name: value})
    monkeypatch.setenv(f"BERTH_{name.upper()}", value)
    with pytest.raises(SettingsInvalid) as as_variable:
        load()
    monkeypatch.delenv(f"BERTH_{name.upper()}")
    Path("berth.toml").write_text(f"{name} = '{value}'\n")
    with pytest.raises(SettingsInvalid) as in_file:
        load()
    assert str(as_flag.value).startswith(f"--{name.replace('_', '-')}: ")
    assert str(as_variable.value).startswith(f"BERTH_{name.upper()}: ")
    assert str(in_file.value).startswith(f"berth.toml: {name}: ")
    for error in (as_flag, as_variable, in_file):
        assert reason in str(error.value)
        assert "canary" not in str(error.value)


def test_every_setting_at_fault_is_named() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(region="Mars", account_id="1")
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["--account-id", "--region"]


def test_half_a_root_key_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="give both, or neither"):
        load(root_access_key_id="AKIAIOSFODNN7EXAMPLE")


def test_half_of_tls_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="tls_certificate and tls_key: give both, or neither"):
        load(tls_certificate="tls.crt")


@pytest.mark.parametrize("name", ["api_proxy_protocol", "registry_proxy_protocol"])
def test_the_proxy_protocol_is_for_proxies_with_a_name(name: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"{name}: name the proxies that may connect in trusted_proxies"):
        load(**{name: "true"})


def test_a_certificate_makes_addresses_secure() -> None:
    settings = load(tls_certificate="tls.crt", tls_key="tls.key")
    assert settings.api_url == "https://localhost:4500"
    assert settings.registry_url == "https://localhost:5500"
    assert settings.registry_public_scheme == "https"
    assert load().registry_public_scheme == "http"
    assert load(registry_scheme="https").registry_url == "http://localhost:5500", "a proxy ends TLS"


def test_a_setting_that_is_none_is_refused_in_the_file() -> None:
    Path("berth.toml").write_text('regoin = "eu-west-1"\n')
    with pytest.raises(SettingsInvalid, match=r"^berth\.toml: there is no setting named 'regoin'; is it 'region'\?$"):
        load()


def test_a_file_that_is_not_toml_is_refused() -> None:
    Path("berth.toml").write_text("region: eu-west-1\n")
    with pytest.raises(SettingsInvalid, match=r"^berth\.toml: "):
        load()


def test_a_variable_that_sets_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_API_LISTN", "localhost:1")
    assert unknown_variables(Settings.model_fields) == ["BERTH_API_LISTN; is it 'BERTH_API_LISTEN'?"]


def test_another_process_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        region="eu-west-1",
        registry_aliases='{"Images.example.com": "123456789012/eu-west-1"}',
        root_access_key_id="AKIAIOSFODNN7EXAMPLE",
        root_secret_access_key="a secret, with 'quotes'",
        database_url="postgresql://u:p@/berth?host=/run/x",
        trusted_proxies="10.0.0.0/8, 192.0.2.1, fd00::/8",
        registry_proxy_protocol="true",
        tls_certificate="tls.crt",
        tls_key="tls.key",
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load() == settings


def test_secrets_are_not_shown() -> None:
    settings = load(root_access_key_id="AKIAIOSFODNN7EXAMPLE", root_secret_access_key="canary-canary")
    assert "canary" not in repr(settings)
    assert "canary" not in str(settings)


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("localhost:4500", "http://localhost:4500"),
        ("0.0.0.0:80", "http://localhost:80"),
        ("[::]:80", "http://localhost:80"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_this_machine_reaches_itself(listen: str, url: str) -> None:
    assert load(api_listen=listen).api_url == url
    assert load(registry_listen=listen).registry_url == url
