"""The id of the request that is being answered: in its answer, in the log, and nowhere in a patient's record."""

from contextvars import ContextVar
from uuid import uuid4

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Set at the edge, once for each request."""


def current_request_id() -> str:
    """What belongs to no request gets an id of its own."""
    return REQUEST_ID.get() or str(uuid4())
