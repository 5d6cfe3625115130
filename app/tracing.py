"""Spans for OpenTelemetry: of a request and of what takes its time. Off, it costs a look at one name.

A span holds what a log line may hold and nothing else. No exception is recorded: its words may repeat what a row holds.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tsuzuri.app.request_facts import RequestFacts
from tsuzuri.app.settings import Settings, SettingsWrong

_NOTHING: AbstractContextManager[Any] = nullcontext()
_tracer: Tracer | None = None


def span(name: str) -> AbstractContextManager[Any]:
    """Of a piece of work within a request; *name* is one of ours, never made of what came in."""
    if _tracer is None:
        return _NOTHING
    return _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)


def request_span(facts: RequestFacts) -> AbstractContextManager[Any]:
    """Of a whole request, below the span of who sent it; what *facts* hold at its end is told with it."""
    return _NOTHING if _tracer is None else _request_span(_tracer, facts)


@contextmanager
def _request_span(tracer: Tracer, facts: RequestFacts) -> Iterator[None]:
    sender = {} if facts.traceparent is None else {"traceparent": facts.traceparent}
    with tracer.start_as_current_span(
        facts.route,
        context=TraceContextTextMapPropagator().extract(sender),
        kind=SpanKind.SERVER,
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        finally:
            told: dict[str, str | int | None] = {
                "http.route": facts.route,
                "http.response.status_code": facts.status,
                "tsuzuri.request_id": facts.request_id,
                "tsuzuri.role": facts.role,
                "tsuzuri.facility": facts.facility,
                "tsuzuri.operation": facts.operation,
                "tsuzuri.cost": facts.cost,
            }
            opened.set_attributes({name: value for name, value in told.items() if value is not None})
            if facts.status >= 500:
                opened.set_status(Status(StatusCode.ERROR))


def trace_with(tracer: Tracer | None) -> None:
    """From now on, in this process. None: no spans are made."""
    global _tracer
    _tracer = tracer


def configure_tracing(settings: Settings) -> None:
    """Once, when a process that serves begins. Where the spans go, OpenTelemetry's own variables say (OTEL_…).

    Raises SettingsWrong: it is asked for and not installed.
    """
    if not settings.traces:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsWrong("TSUZURI_TRACES=otlp needs more: pip install 'tsuzuri[tracing]'") from None
    provider = TracerProvider(resource=Resource.create({"service.name": "tsuzuri"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace_with(provider.get_tracer("tsuzuri"))
