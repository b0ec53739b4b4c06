"""The forms that settings have as people write them, and what is said of those that have another."""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, PlainValidator, SecretStr
from pydantic_settings import NoDecode

from berth.networks.proxies import Networks, parse_networks
from berth.settings.durations import Duration, parse_duration


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"'{text}' is not HOST:PORT, such as localhost:4500")
    return text


def _host_pattern(text: str) -> str:
    if any(c in text for c in "/ ?#@"):
        raise ValueError(f"'{text}' is not a host name with {{account}} and {{region}} in it, or a plain host")
    if ("{account}" in text) != ("{region}" in text):
        raise ValueError(f"'{text}' must hold both {{account}} and {{region}}, or neither (path style)")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{0,64}", text):
        raise ValueError(f"'{text[:64]}' is not the name of a header, such as X-Vpc-Endpoint")
    return text


def _endpoint(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s/?#@]+", text):
        raise ValueError(f"'{text}' is not http://HOST or https://HOST, perhaps with a port, and nothing after it")
    return text


def _database_url(url: SecretStr | None) -> SecretStr | None:
    # What the text is must not be told: it holds a password.
    if url is not None and not re.fullmatch(r"postgres(ql)?://[^\s/]*/\S+", url.get_secret_value()):
        raise ValueError("it is not postgresql://USER:PASSWORD@HOST/DATABASE")
    return url


def from_json(example: str) -> BeforeValidator:
    """JSON in a variable, a table in the file."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"it is not JSON such as {example}") from error

    return BeforeValidator(read)


def check_both_or_neither(settings: BaseModel, one: str, other: str) -> None:
    """Raises ValueError where one of two settings is there without the other."""
    if (getattr(settings, one) is None) != (getattr(settings, other) is None):
        raise ValueError(f"{one} and {other}: give both, or neither")


Listen = Annotated[str, AfterValidator(_listen)]
HostPattern = Annotated[str, AfterValidator(_host_pattern)]
Header = Annotated[str, AfterValidator(_header)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
DatabaseUrl = Annotated[SecretStr | None, AfterValidator(_database_url)]
NetworkList = Annotated[Networks, NoDecode, BeforeValidator(parse_networks)]
Window = Annotated[Duration, PlainValidator(parse_duration)]
