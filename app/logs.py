"""Logs as lines of JSON on standard error. Only keys of this house are written: none holds a patient's data."""

import logging
import sys

import structlog
from structlog.types import EventDict

KEYS = frozenset({"event", "level", "timestamp", "request_id", "fault", "sqlstate", "projection"})


def configure_logs() -> None:
    """Once, when a process that logs begins."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _allowed(_: object, __: str, event: EventDict) -> EventDict:
    """An allow-list: what nobody has thought of is left out, not let through."""
    return {key: value for key, value in event.items() if key in KEYS}
