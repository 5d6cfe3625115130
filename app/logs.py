"""Logs as lines of JSON on standard error. Only keys of this house are written: none holds a patient's data."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.types import EventDict

from tsuzuri.graphql.request_ids import REQUEST_ID

KEYS = frozenset(
    "event level timestamp request_id fault at sqlstate projection generation patients bundles held behind "
    "unreadable library rules found opened notice outlet reason route status duration_ms bytes role facility "
    "operation cost trace_id failed".split()
)


def configure_logs() -> None:
    """Once, when a process that logs begins."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _of_request,
            _allowed,
            structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.BytesLogger(
            sys.stderr.buffer
        ),  # where it points when a line is written
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()])


class _Libraries(logging.Handler):
    """Which library complained, and of what kind of error: its own words may repeat what it was given."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        log = structlog.get_logger()
        tell = log.error if record.levelno >= logging.ERROR else log.warning
        tell("library", library=record.name, fault=kind.__name__ if kind else None)


def _of_request(_: object, __: str, event: EventDict) -> EventDict:
    """Whatever is logged while a request is answered can be found by its id."""
    if "request_id" not in event and (request_id := REQUEST_ID.get()):
        event["request_id"] = request_id
    return event


def _json(event: EventDict, **more: Any) -> bytes:
    return orjson.dumps(event, **more)


def _allowed(_: object, __: str, event: EventDict) -> EventDict:
    """An allow-list: what nobody has thought of is left out, not let through."""
    return {key: value for key, value in event.items() if key in KEYS}
