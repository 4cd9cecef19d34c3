"""Structured log: JSON lines with fields of an allowlist only, so that no subject data gets in."""

import importlib
import logging
import traceback
from typing import TYPE_CHECKING, Any

from node.config import LogSection
from node.telemetry.log_file import LogFile, StandardError
from node.telemetry.request_id import current_request

if TYPE_CHECKING:  # loaded when first used: only a running node logs
    from structlog.typing import EventDict, FilteringBoundLogger

# Fields an event may have. Other fields are dropped and named in `dropped`.
FIELDS = frozenset(
    {"event", "level", "timestamp", "node", "role", "method", "caller", "peer", "status", "code", "ms"}
    | {"points", "buckets", "items", "item", "job", "state", "reason", "epoch", "address", "port", "kind"}
    | {"incident", "where", "signal", "entries", "seconds", "backend", "check", "request", "bytes"}
    | {"quota", "percent"}
)


def configure(settings: LogSection, node: str) -> None:
    """Send events as JSON lines to the configured file, or to standard error. Raises OSError."""
    structlog = _load_structlog()
    stream = LogFile(settings.file) if settings.file else StandardError()

    def name_node(_logger: object, _method: str, event: "EventDict") -> "EventDict":
        event["node"] = node
        return event

    structlog.configure(
        processors=[
            name_node,
            add_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allow_fields,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )


def get_logger() -> "FilteringBoundLogger":
    """The node's log."""
    logger: FilteringBoundLogger = _load_structlog().get_logger()
    return logger


def _load_structlog() -> Any:
    # Only a running node logs, and every command that opens a node imports this module.
    return importlib.import_module("structlog")


def add_request(_logger: object, _method: str, event: "EventDict") -> "EventDict":
    """Add the id of the request that this thread works on, if there is one."""
    request = current_request()
    if request:
        event["request"] = request
    return event


def allow_fields(_logger: object, _method: str, event: "EventDict") -> "EventDict":
    """Drop every field that is not in FIELDS."""
    dropped = sorted(set(event) - FIELDS)
    for name in dropped:
        del event[name]
    if dropped:
        event["dropped"] = dropped
    return event


def where(error: BaseException) -> list[str]:
    """Files, lines and functions of a failure, without its text, which might contain data."""
    return [
        f"{frame.name} {frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
