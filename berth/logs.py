"""Logs: lines for people on a terminal, JSON elsewhere; and no secret in either."""

import logging
import re
import sys
import uuid
from contextvars import ContextVar
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from berth.settings import Settings

HIDDEN = "•••"
# The request that the code at hand works for, in every line that it logs.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_SECRET_KEYS = re.compile(
    r"password|passphrase|secret|token|authorization|cookie|signature|master_key|credential", re.I
)
_SECRET_TEXTS = (
    # The password in an address, and those of Basic and Bearer, and the proof of a signed request.
    (re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{8,}", re.I), rf"\1 {HIDDEN}"),
    # An address that lets whoever has it download a layer (berth/layers/downloads.py).
    (re.compile(r"(/downloads/)[A-Za-z0-9_=-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(Signature|X-Amz-Signature|X-Amz-Security-Token)=[^\s&,'\"]+", re.I), rf"\1={HIDDEN}"),
)
_known_secrets: set[str] = set()


def name_request() -> None:
    """Give the request at hand a new id: ours, for one from outside could be anybody's."""
    request_id.set(str(uuid.uuid4()))


def hide(secret: str | None) -> None:
    """Blot `secret` out of every line from now on, wherever it stands."""
    if secret and len(secret) >= 8:
        _known_secrets.add(secret)


def configure(settings: Settings, process: str) -> None:
    """Log to standard error, as the settings say; every line names its `process`."""
    for value in (settings.root_secret_access_key, settings.master_key, settings.s3_secret_access_key):
        hide(value.get_secret_value() if value else None)
    level = getattr(logging, settings.log_level.upper())
    is_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _request_and_process(process),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("%H:%M:%S" if is_text else "iso", utc=not is_text),
            structlog.processors.format_exc_info,
            redact,
            _text() if is_text else structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # What the libraries log below a warning is theirs; some of it (statements, headers) is nobody's business.
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take the secrets out of a line: what stands under a telling name, what looks like one, and all that is known."""
    return {key: HIDDEN if _SECRET_KEYS.search(key) and value else _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        return redact(None, "", value)
    if isinstance(value, (list, tuple, set)):
        return [_redacted(item) for item in value]
    text = str(value)
    for secret in _known_secrets:
        text = text.replace(secret, HIDDEN)
    for pattern, instead in _SECRET_TEXTS:
        text = pattern.sub(instead, text)
    return text


def _request_and_process(process: str) -> structlog.typing.Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        if (current := request_id.get()) is not None:
            event.setdefault("request_id", current)
        return event

    return add


def _text() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, sort_keys=False)


def _json(event: EventDict, **_: Any) -> str:
    first = {key: event.pop(key, None) for key in ("timestamp", "level", "process", "event")}
    return orjson.dumps({**first, **event}, default=str).decode()


class _ToStructlog(logging.Handler):
    """Takes what the libraries log, which use the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        log = structlog.get_logger()
        log.log(record.levelno, record.getMessage(), source=record.name, exc_info=exc_info)
