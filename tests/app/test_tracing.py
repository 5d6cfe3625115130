"""Spans: of a request and what takes its time, below the sender's; none when nobody asks for them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from psycopg import Connection

from edge_examples import ENTRIES
from examples import HOSPITAL, NUMBER, a_bundle
from projection_examples import catch_up
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings, SettingsWrong, read_settings
from tsuzuri.app.tokens import development_token
from tsuzuri.app.tracing import configure_tracing, span, trace_with
from tsuzuri.domain.vocabulary import Role

TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONSENT = """mutation ($number: String!, $facility: String!) {
  grantConsent(patient: {insuredPerson: $number}, facility: $facility, classes: [CONDITION]) }"""


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_with(provider.get_tracer("tsuzuri"))
    yield exporter
    trace_with(None)


def finished(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def test_a_read_is_told_with_what_took_its_time(
    settings: Settings, dsn: str, connection: Connection[Any], spans: InMemorySpanExporter
) -> None:
    def bearer(role: Role) -> dict[str, str]:
        token = development_token(settings, role=role, person="somebody", facility=HOSPITAL)
        return {"Authorization": f"Bearer {token}"}

    async def story() -> None:
        server = build_server(settings, dsn)
        transport = httpx.ASGITransport(server)
        async with (
            server.router.lifespan_context(server),
            httpx.AsyncClient(transport=transport, base_url="http://tsuzuri") as client,
        ):
            system = bearer(Role.SYSTEM)
            await client.post(
                "/bundles", headers=system, content=a_bundle().replace(b"1311234567", HOSPITAL.encode())
            )
            catch_up(connection)
            spans.clear()
            asked = {"query": ENTRIES, "variables": {"number": NUMBER}}
            headers = bearer(Role.CLINICIAN) | {"traceparent": f"00-{TRACE}-{SENDER}-01"}
            answer = await client.post("/graphql", headers=headers, json=asked)
            assert answer.json()["data"]["patientRecord"]["entries"] == {"totalCount": 1}

    asyncio.run(story())

    told = finished(spans)
    request = told["/graphql"]
    assert request.context is not None and request.parent is not None and request.attributes is not None
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == SENDER
    assert request.attributes["tsuzuri.facility"] == HOSPITAL
    assert request.attributes["http.response.status_code"] == 200
    assert {"prepare", "open_record", "sql", "settle"} < set(told)
    for name in ("prepare", "open_record", "sql", "settle"):
        assert f"{told[name].context.trace_id:032x}" == TRACE, name
        assert not told[name].attributes


def test_a_span_says_nothing_of_what_went_wrong_within_it(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="hanako"), span("sql"):
        raise ValueError("hanako")

    (told,) = spans.get_finished_spans()
    assert list(told.events) == []
    assert told.status.status_code is StatusCode.UNSET and told.status.description is None


def test_nobody_who_does_not_ask_gets_spans() -> None:
    configure_tracing(read_settings({}))

    assert span("sql") is span("settle")  # the same nothing each time


def test_spans_need_the_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        __import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None
    )

    with pytest.raises(SettingsWrong, match=r"pip install 'tsuzuri\[tracing\]'"):
        configure_tracing(read_settings({"TSUZURI_TRACES": "otlp"}))
