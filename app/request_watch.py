"""Around every route: an id for the request, one line in the log, what /metrics counts, and a span."""

import asyncio
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tsuzuri.app.request_facts import RequestFacts, facts_of
from tsuzuri.app.request_metrics import RequestMetrics
from tsuzuri.app.tracing import request_span
from tsuzuri.graphql.request_ids import REQUEST_ID

PROBES = frozenset(
    {"/livez", "/readyz", "/metrics"}
)  # asked each few seconds: a line only when something is wrong
_CLOSE = (b"connection", b"close")
_log = structlog.get_logger()


class RequestWatch:
    """ASGI. While the server ends, each answer says that it is the last on its connection."""

    def __init__(
        self, app: ASGIApp, *, metrics: RequestMetrics, closing: asyncio.Event, log: bool = True
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._closing = closing
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        facts = facts_of(scope)
        REQUEST_ID.set(facts.request_id)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._begun(facts, message)
            elif message["type"] == "http.response.body":
                facts.bytes += len(message.get("body", b""))
            await send(message)

        began = time.perf_counter()
        self._metrics.in_flight += 1
        try:
            with request_span(facts):
                await self._app(scope, receive, told)
        finally:
            self._metrics.in_flight -= 1
            self._ended(facts, time.perf_counter() - began)

    def _begun(self, facts: RequestFacts, message: Message) -> None:
        facts.status = message["status"]
        headers = [*message["headers"], (b"x-request-id", facts.request_id.encode())]
        if self._closing.is_set():
            headers = [header for header in headers if header[0] != b"connection"]
            headers.append(_CLOSE)
        facts.streamed = not any(name == b"content-length" for name, _ in headers)
        message["headers"] = headers

    def _ended(self, facts: RequestFacts, seconds: float) -> None:
        self._metrics.answered(facts.route, facts.status, None if facts.streamed else seconds)
        if self._log and not (facts.route in PROBES and facts.status == 200):
            told = {
                "request_id": facts.request_id,
                "trace_id": facts.trace_id,
                "route": facts.route,
                "status": facts.status,
                "duration_ms": round(seconds * 1_000, 1),
                "bytes": facts.bytes,
                "role": facts.role,
                "facility": facts.facility,
                "operation": facts.operation,
                "cost": facts.cost,
            }
            _log.info("request", **{key: value for key, value in told.items() if value is not None})
