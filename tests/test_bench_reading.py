"""The harness that measures reads: what it loads can be read as it says, and what is wrong it notices."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from bench.answers import AnswersDiffer, check_equal
from bench.pgbench import statements_in
from bench.reading_controls import FAILED, RIGHT, canned
from bench.reading_data import Installation, load
from bench.reading_queries import PUBLISHED, QUERIES
from bench.reading_rows import ENTRIES_ASKED, FACILITY_ASKING, Scale
from bench.unguarded import UnguardedApplication, unguarded
from bench.wrk import AnswersWrong, ask, body_file
from log_examples import copied_database, settings_at
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.scopes import scopes_of, usual_scopes
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.schema import build_schema, schema_sha256
from tsuzuri.projections import audit_trail, record_index

CLINICIAN = Caller(
    person="bench-clinician",
    role=Role.CLINICIAN,
    facility=FACILITY_ASKING,
    scopes=scopes_of(usual_scopes(Role.CLINICIAN)),
)
AUDITOR = Caller(person="bench-auditor", role=Role.AUDITOR, scopes=scopes_of(usual_scopes(Role.AUDITOR)))
EVERYTHING = """query ($patient: ID!) { patientRecord(patient: {id: $patient}) { ... on PatientRecord {
    incomplete entries(first: 200) { totalCount nodes { id document { id } facility { name } } }
} } }"""
Answer = Callable[..., Any]


@pytest.fixture(scope="module")
def installation(
    server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """As small as the benchmark can be: a hundred patients."""
    with copied_database(server_dsn, template, "bench_reading") as dsn:
        made = Installation(settings_at(tmp_path_factory.mktemp("home")), dsn, Scale(5_000))
        load(made)
        yield made


@pytest.fixture(scope="module")
def answer(installation: Installation) -> Answer:
    """What the application answers: the product, or the one without consent and audit."""
    schema = build_schema()

    def answered(caller: Caller, document: str, variables: Any, *, guarded: bool = True) -> Any:
        async def ask_once() -> Any:
            made = TsuzuriApplication if guarded else UnguardedApplication
            async with services(installation.settings, installation.dsn) as opened:
                application = made(opened, schema_sha256(schema))
                return await execute(schema, application, caller, document, variables)

        if guarded:
            response = asyncio.run(ask_once())
        else:
            with unguarded():
                response = asyncio.run(ask_once())
        assert "errors" not in response, response
        return response["data"]

    return answered


def count(installation: Installation, table: str, where: str, patient: UUID) -> int:
    with Connection.connect(installation.dsn) as connection:
        row = connection.execute(
            f"SELECT count(*) FROM {table} WHERE patient_id = %s AND {where}".encode(), (patient,)
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_clinician_reads_what_was_loaded_of_a_patient_who_consented(
    installation: Installation, answer: Answer
) -> None:
    patient = installation.patients()[0]
    entries = f"{installation.schema(record_index.NAME)}.entry"

    shown = answer(CLINICIAN, EVERYTHING, {"patient": str(patient)})["patientRecord"]

    assert count(installation, entries, "true", patient) == ENTRIES_ASKED
    assert shown["entries"]["totalCount"] == count(installation, entries, "to_pos IS NULL", patient)
    assert len(shown["entries"]["nodes"]) == shown["entries"]["totalCount"] < ENTRIES_ASKED
    assert not shown["incomplete"]
    assert all(node["document"] and node["facility"]["name"] for node in shown["entries"]["nodes"])


def test_an_auditor_reads_what_was_loaded_of_the_trail(installation: Installation, answer: Answer) -> None:
    patient = installation.patients()[0]

    trail = answer(AUDITOR, QUERIES["Q3"].document, {"patient": str(patient)})["accessTrail"]

    assert len(trail["edges"]) == 100 and trail["pageInfo"]["hasNextPage"]
    assert count(installation, f"{installation.schema(audit_trail.NAME)}.access", "true", patient) > 100


def test_without_consent_and_audit_the_same_is_shown(installation: Installation, answer: Answer) -> None:
    asked = QUERIES["Q2"].document, {"patient": str(installation.patients()[1])}

    check_equal(answer(CLINICIAN, *asked), answer(CLINICIAN, *asked, guarded=False), "Q2")


def test_the_ready_summary_and_the_assembled_one_are_the_same_of_a_patient_with_marks(
    installation: Installation, answer: Answer
) -> None:
    marked = next(patient for patient in installation.patients() if is_marked(installation, patient))
    asked = PUBLISHED.document, {"patient": {"id": str(marked)}}

    ready = answer(CLINICIAN, *asked)["patientRecord"]["summary"]
    with installation.summary_behind():
        assembled = answer(CLINICIAN, *asked)["patientRecord"]["summary"]

    assert json.dumps(ready) == json.dumps(assembled)
    assert any(entry["flags"] for entry in ready["conditions"])


def is_marked(installation: Installation, patient: UUID) -> bool:
    entries = f"{installation.schema(record_index.NAME)}.entry"
    return count(installation, entries, "flags_now <> '{}' AND record_class = 'CONDITION'", patient) > 0


def test_an_answer_with_another_order_or_value_is_noticed() -> None:
    ours = {"patientRecord": {"entries": {"nodes": [{"id": "1", "codings": []}, {"id": "2", "codings": []}]}}}
    theirs = {"allEntries": {"nodes": [{"entry": "1", "codings": "[]"}, {"entry": "2", "codings": "[]"}]}}
    turned = {"allEntries": {"nodes": theirs["allEntries"]["nodes"][::-1]}}
    other = {
        "allEntries": {
            "nodes": [theirs["allEntries"]["nodes"][0], {"entry": "2", "codings": '[{"code":"1"}]'}]
        }
    }

    check_equal(ours, theirs, "a query")

    for wrong in (turned, other):
        with pytest.raises(AnswersDiffer):
            check_equal(ours, wrong, "a query")


@pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk")
@pytest.mark.parametrize(("body", "status"), [(FAILED, 200), (RIGHT, 401), (b'{"data":{}}', 200)])
def test_a_failed_a_refused_and_an_empty_answer_end_the_measurement(
    body: bytes, status: int, tmp_path: Path
) -> None:
    file = body_file(tmp_path / "bodies", None, [b"{}"])

    with canned(body, status) as url, pytest.raises(AnswersWrong):
        ask(url, file, 1, 1, "hasNextPage")


def test_what_a_servers_log_tells_can_be_run_again() -> None:
    log = (
        "2026-11-23 09:00:00.000 UTC [7] LOG:  execute <unnamed>: SELECT $1, '{\"a\":1}'\n"
        "\tFROM t -- all\n\tWHERE at > $2;\n"
        "2026-11-23 09:00:00.000 UTC [7] DETAIL:  Parameters: $1 = 'it''s', $2 = '2026-11-23 09:00:00+00'\n"
        "2026-11-23 09:00:00.000 UTC [8] LOG:  statement: SELECT 1\n"
    )

    assert list(statements_in(log)) == [
        "SELECT  'it''s', E'{\"a\"\\x3a1}'\nFROM t -- all\nWHERE at >  E'2026-11-23 09\\x3a00\\x3a00+00'",
        "SELECT 1",
    ]
