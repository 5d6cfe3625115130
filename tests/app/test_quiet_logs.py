"""Whatever goes wrong, what is printed and logged says where in our code, and nothing of a patient."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg import Connection

from examples import CLINIC, HOSPITAL, PATIENT, a_bundle
from log_examples import KEY_SETTINGS
from projection_examples import catch_up
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings
from tsuzuri.app.tokens import development_token
from tsuzuri.app.tracing import span, trace_with
from tsuzuri.domain.vocabulary import Role

Json = dict[str, Any]
NAME = "カナリア 花子"
NUMBER = "31415926:カナリア:31415926:01"
CANARIES = ("カナリア", "花子", "31415926", "1970-01-02")
CONSENT = """mutation ($number: String!, $facility: String!) {
  grantConsent(patient: {insuredPerson: $number}, facility: $facility, classes: [CONDITION]) }"""
READ = """query ($number: String!) { patientRecord(patient: {insuredPerson: $number}) {
  ... on PatientRecord { patient { name } entries { nodes { name } } } } }"""


@dataclass
class World:
    """A server in this process, one patient in it, and everything that it prints and logs."""

    settings: Settings
    client: httpx.AsyncClient
    runner: asyncio.Runner
    connection: Connection[Any]
    capfd: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture

    def post(self, path: str, role: Role, facility: str | None, **body: Any) -> Json:
        token = development_token(self.settings, role=role, person="somebody", facility=facility)
        asked = self.client.post(path, headers={"Authorization": f"Bearer {token}"}, **body)
        answer: Json = self.runner.run(asked).json()
        return answer

    def ask(self, query: str, role: Role = Role.CLINICIAN, **variables: Any) -> Json:
        return self.post("/graphql", role, HOSPITAL, json={"query": query, "variables": variables})

    def send(self, bundle: bytes) -> Json:
        return self.post("/bundles", Role.SYSTEM, CLINIC, content=bundle)

    def logged(self) -> list[Json]:
        """Our lines since the last look, but those of requests. No line says anything of the patient."""
        return [line for line in self.lines() if line["event"] != "request"]

    def lines(self) -> list[Json]:
        """Our lines since the last look. Nothing else was said, and no line says anything of the patient."""
        out, err = self.capfd.readouterr()
        assert not any(canary in out + err + self.caplog.text for canary in CANARIES)
        for record in self.caplog.records:
            assert not any(canary in f"{vars(record)}" for canary in CANARIES), record.name
        assert out == ""
        return [json.loads(line) for line in err.splitlines()]


@pytest.fixture
def world(
    settings: Settings,
    dsn: str,
    connection: Connection[Any],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[World]:
    before = structlog.get_config()
    configure_logs()
    caplog.set_level(logging.INFO)
    server = build_server(settings, dsn)
    lifespan = server.router.lifespan_context(server)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://tsuzuri")
    with asyncio.Runner() as runner:
        runner.run(lifespan.__aenter__())
        world = World(settings, client, runner, connection, capfd, caplog)
        assert world.send(a_bundle(name=NAME, number=NUMBER))["outcome"] == "REGISTERED"
        assert "errors" not in world.ask(CONSENT, Role.SYSTEM, number=NUMBER, facility=HOSPITAL)
        catch_up(connection)
        world.lines()  # of what came before the test
        yield world
        runner.run(client.aclose())
        runner.run(lifespan.__aexit__(None, None, None))
    structlog.configure(**before)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_with(provider.get_tracer("tsuzuri"))
    yield exporter
    trace_with(None)


def said(spans: InMemorySpanExporter) -> str:
    """Everything that leaves the house with a span."""
    return "".join(
        f"{span.name}{dict(span.attributes or {})}{span.status.description}"
        f"{[(event.name, dict(event.attributes or {})) for event in span.events]}"
        for span in spans.get_finished_spans()
    )


def test_the_canaries_are_there_to_be_seen(world: World) -> None:
    answer = world.ask(READ, number=NUMBER)

    assert answer["data"]["patientRecord"]["patient"]["name"] == NAME
    print(answer)
    with pytest.raises(AssertionError):
        world.logged()


REFUSED = {
    "a variable of the wrong type": (READ, {"number": {"name": NAME, "number": NUMBER}}),
    "a variable that is a list": (READ, {"number": [NUMBER, NAME]}),
    "a number misspelt": (READ, {"number": f"{NUMBER}:{NAME}"}),
    "an unknown field beside a literal": (
        f'{{ patientRecord(patient: {{insuredPerson: "{NUMBER}"}}) {{ nope }} }}',
        {},
    ),
    "a literal of the wrong type": (f'{{ patientRecord(patient: "{NUMBER} {NAME}") {{ __typename }} }}', {}),
    "a literal misspelt": (
        f'{{ patientRecord(patient: {{insuredPerson: "{NUMBER} {NAME}"}}) {{ __typename }} }}',
        {},
    ),
    "no GraphQL at all": (f'{{ patientRecord(patient: "{NUMBER}', {}),
}


@pytest.mark.parametrize(("query", "variables"), REFUSED.values(), ids=REFUSED)
def test_a_query_that_is_refused_is_not_logged(world: World, query: str, variables: Json) -> None:
    answer = world.ask(query, **variables)

    assert answer["errors"][0]["extensions"]["code"] in ("GRAPHQL_INVALID", "BAD_INPUT")
    assert world.logged() == []


EVERYWHERE: dict[str, tuple[str, str, Json]] = {
    "a path": ("GET", f"/documents/{quote(NAME)}/{quote(NUMBER)}", {}),
    "a path of ours": ("GET", f"/documents/{PATIENT}/attachments/1?token={quote(NUMBER)}", {}),
    "parameters": ("POST", f"/graphql?number={quote(NUMBER)}&name={quote(NAME)}", {}),
    "a request id": ("POST", "/graphql", {"X-Request-Id": "31415926"}),
    "a request id with a name": ("POST", "/graphql", {"X-Request-Id": f"id {NAME}".encode()}),
    "a trace": ("POST", "/graphql", {"traceparent": f"00-{NUMBER}-01".encode(), "baggage": "name=31415926"}),
    "who asks": ("POST", "/bundles", {"User-Agent": NAME.encode(), "Referer": "https://x.example/31415926"}),
    "a token": ("POST", "/graphql", {"Authorization": "Bearer 31415926"}),
}


def test_wherever_a_patient_is_named_no_log_no_metric_and_no_span_says_it(
    world: World, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "httpx")  # the client of this test names what it asks for
    body = {"query": READ, "variables": {"number": NUMBER, "more": NAME}, "operationName": NAME}
    token = development_token(world.settings, role=Role.CLINICIAN, person=NAME, facility=HOSPITAL)
    for method, url, headers in EVERYWHERE.values():
        asked = {"Authorization": f"Bearer {token}"} | headers
        answer = world.runner.run(world.client.request(method, url, headers=asked, json=body))

        *others, line = world.lines()  # why a token was refused is said in front
        assert {one["request_id"] for one in (*others, line)} == {answer.headers["x-request-id"]}
        assert line["status"] == answer.status_code < 500, url
    told = world.runner.run(world.client.get("/metrics")).text
    traced = said(spans)
    assert not any(canary in told + traced for canary in CANARIES)
    assert 'route="/documents"' in told and HOSPITAL in traced


def test_a_line_a_metric_or_a_span_that_said_it_would_be_seen(
    world: World, spans: InMemorySpanExporter
) -> None:
    """The control: what is looked for above is found where it is."""
    with span(NAME):
        structlog.get_logger().info("request", route=NAME)

    assert CANARIES[0] in said(spans)
    with pytest.raises(AssertionError):
        world.lines()


def test_a_read_is_a_line_that_says_how_it_went(world: World) -> None:
    answer = world.ask(READ, number=NUMBER)

    (line,) = world.lines()
    assert answer["data"]["patientRecord"]["patient"]["name"] == NAME
    assert set(line) == {
        "event",
        "level",
        "timestamp",
        "request_id",
        "route",
        "status",
        "duration_ms",
        "bytes",
        "role",
        "facility",
        "operation",
        "cost",
    }
    assert (line["route"], line["status"]) == ("/graphql", 200)
    assert (line["role"], line["facility"]) == ("CLINICIAN", HOSPITAL)
    assert line["operation"] == sha256(READ.encode()).hexdigest()


def test_a_bundle_that_is_rejected_is_not_logged(world: World) -> None:
    for bundle in (
        a_bundle(name=f"{NAME}\0", number=NUMBER),
        a_bundle(number=f"{NUMBER}:{NAME}"),
        NAME.encode(),
    ):
        assert world.send(bundle)["errors"][0]["extensions"]["code"] == "BUNDLE_REJECTED"

    assert world.logged() == []


def test_a_fault_in_a_resolver_is_logged_by_kind_and_place(world: World) -> None:
    world.connection.execute("ALTER TABLE record_index_g1.entry RENAME TO elsewhere")

    (error,) = world.ask(READ, number=NUMBER)["errors"]

    (line,) = world.logged()
    assert set(line) == {"event", "level", "timestamp", "request_id", "fault", "at"}
    assert (line["event"], line["fault"]) == ("graphql_fault", "UndefinedTable")
    assert line["request_id"] == error["extensions"]["requestId"]
    assert any(place.startswith("record_reader.py:") for place in line["at"])
    assert line["at"][-1].startswith("lines.py:")


def test_a_fault_in_the_intake_is_logged_by_kind_and_place(world: World) -> None:
    world.connection.execute("ALTER TABLE identifier RENAME TO elsewhere")

    (error,) = world.send(a_bundle(name=NAME, number=NUMBER, local_id="another"))["errors"]

    (line,) = world.logged()
    assert (line["event"], line["fault"]) == ("request_fault", "UndefinedTable")
    assert line["request_id"] in error["message"]
    assert any(place.startswith("register_bundle.py:") for place in line["at"])


# --- the commands, each a process of its own


def tsuzuri(world: World, dsn: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TSUZURI_")}
    return subprocess.run(
        [sys.executable, "-c", "from tsuzuri.app.cli import main; main()", *map(str, arguments)],
        env=own
        | {
            "TSUZURI_HOME": str(world.settings.home),
            "TSUZURI_MODE": "development",
            "TSUZURI_DATABASE": dsn,
        }
        | KEY_SETTINGS,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_query_without_a_server_is_as_quiet(world: World, dsn: str, tmp_path: Path) -> None:
    world.connection.execute("ALTER TABLE record_index_g1.entry RENAME TO elsewhere")
    (tmp_path / "read.graphql").write_text(
        READ.replace("($number: String!)", "").replace("$number", f'"{NUMBER}"')
    )
    token = development_token(world.settings, role=Role.CLINICIAN, person="somebody", facility=HOSPITAL)

    done = tsuzuri(world, dsn, "query", tmp_path / "read.graphql", "--token", token)

    assert done.returncode == 1 and '"INTERNAL"' in done.stdout
    assert not any(canary in done.stdout + done.stderr for canary in CANARIES)
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert any(place.startswith("record_reader.py:") for place in line["at"])


def test_a_command_that_fails_says_where_in_one_line(world: World, dsn: str, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_bytes(a_bundle(name=f"{NAME}\0", number=NUMBER))
    good.write_bytes(a_bundle(name=NAME, number=NUMBER, local_id="another"))

    rejected = tsuzuri(world, dsn, "ingest", bad)
    world.connection.execute("ALTER TABLE identifier RENAME TO elsewhere")
    failed = tsuzuri(world, dsn, "ingest", bad, good)

    assert (rejected.returncode, failed.returncode) == (1, 1)
    told, *rest = rejected.stdout.splitlines()
    assert told.startswith("rejected ") and rest == ["1 read: 1 rejected", "nothing changed"]
    assert failed.stderr.startswith("tsuzuri: a fault of ours, UndefinedTable at ")
    assert "register_bundles.py:" in failed.stderr and failed.stderr.count("\n") == 1
    assert not any(canary in done.stdout + done.stderr for canary in CANARIES for done in (rejected, failed))


def test_what_a_library_says_is_told_by_its_name_and_kind() -> None:
    program = (
        "import logging; from tsuzuri.app.logs import configure_logs; configure_logs()\n"
        f"try: int({NAME!r})\n"
        f"except ValueError: logging.getLogger('asyncio').exception('never retrieved %s', {NUMBER!r})"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    line = json.loads(done.stderr)
    assert (line["event"], line["library"], line["fault"]) == ("library", "asyncio", "ValueError")
    assert not any(canary in done.stderr for canary in CANARIES)
