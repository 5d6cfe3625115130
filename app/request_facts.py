"""What is told of one request, in its log line and its span: how it went, and nothing of what it was about."""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

from starlette.types import Scope

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.attachments import ROUTE

_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
_NUMBER = re.compile(rb"[0-9-]*")
_TRACE = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_NO_TRACE = b"0" * 32
_ATTACHMENTS = ROUTE.partition("{")[0]
_ROUTES = frozenset({"/graphql", "/bundles", "/livez", "/readyz", "/metrics"})


@dataclass(slots=True)
class RequestFacts:
    """Filled in as the request goes on. The person is not among them: who read what is in the trail, for an auditor."""

    route: str
    request_id: str
    traceparent: str | None  # as W3C Trace Context writes it
    role: Role | None = None
    facility: str | None = None
    operation: str | None = None  # sha256 of the document
    cost: int | None = None
    status: int = 0  # 0: the client went away, or we failed, before anything was said
    bytes: int = 0  # of the body
    streamed: bool = False  # it lasted as long as somebody listened

    @property
    def trace_id(self) -> str | None:
        return None if self.traceparent is None else self.traceparent[3:35]


_FACTS: ContextVar[RequestFacts | None] = ContextVar("request_facts", default=None)


def note_caller(caller: Caller) -> None:
    """Who asks, as far as it is told: the role, and at which facility."""
    if facts := _FACTS.get():
        facts.role, facts.facility = caller.role, caller.facility


def note_operation(sha256: str, cost: int) -> None:
    """Which GraphQL operation runs, by the hash of its document, and what it costs."""
    if facts := _FACTS.get():
        facts.operation, facts.cost = sha256, cost


def facts_of(scope: Scope) -> RequestFacts:
    """Of a request that has just come in; from now on they are the current ones of this task and those it begins."""
    request_id = traceparent = None
    for name, value in scope["headers"]:
        if name == b"x-request-id" and request_id is None:
            request_id = _plausible(value)
        elif name == b"traceparent" and (trace := _TRACE.fullmatch(value)) and trace[1] != _NO_TRACE:
            traceparent = value.decode()
    facts = RequestFacts(route_of(scope["path"]), request_id or str(uuid4()), traceparent)
    _FACTS.set(facts)
    return facts


def route_of(path: str) -> str:
    """One of a few names, whatever a client asks for: a path may hold anything."""
    if path in _ROUTES:
        return path
    return "/documents" if path.startswith(_ATTACHMENTS) else "other"


def _plausible(given: bytes) -> str | None:
    """An id that a proxy or a client would make. One of digits alone is not taken: it may be somebody's number."""
    return given.decode() if _ID.fullmatch(given) and not _NUMBER.fullmatch(given) else None
