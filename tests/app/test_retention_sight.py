"""Nothing that any reading could still show, at whatever `asOf`, is ever planned to be erased."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Composable, Identifier

from examples import CLINIC_SYSTEM, HOSPITAL_SYSTEM, NUMBER
from fhir_examples import a_resource, coded
from log_examples import Run
from projection_examples import BUNDLE_SYSTEM, bundle_value, catch_up, head_of, live_rows
from rendering_examples import marked
from retention_examples import CENTURIES, diagnoses, planned, report, result, summary
from tsuzuri.app.actions.correct_bundle import cancel_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import AccessBasis, DocumentKind, Flag, RecordClass
from tsuzuri.projections import sight_ends
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.record_index import NAME
from tsuzuri.projections.record_rows import DocumentRow, EntryRow
from tsuzuri.projections.sight import Sight

SECOND = timedelta(seconds=1)
SHE = InsuredPersonNumber.parse(NUMBER)
CONDITIONS = {"20065011": "上腹部痛", "20058911": "狭心症"}
ALL_SEEING = Ground(basis=AccessBasis.CONSENT, classes=tuple(RecordClass), flags=tuple(Flag), because=uuid4())


async def a_life(services: Services) -> UUID:
    """Sets that replace and end one another, one that is taken back, results in several Bundles, two documents."""
    await diagnoses(services, conditions=CONDITIONS, flags={"20058911": "LTS"})
    await diagnoses(services, conditions=CONDITIONS, timestamp="2026-11-20T11:00:00+09:00")
    await diagnoses(services, local_id="set-2", timestamp="2026-11-21T10:00:00+09:00")
    await diagnoses(services, local_id="set-3", timestamp="2026-11-22T10:00:00+09:00")
    set_3 = BUNDLE_SYSTEM, bundle_value("set-3"), DocumentKind.CONDITIONS
    await cancel_bundle(services, CLINIC_SYSTEM, SHE, *set_3, "mistake")
    for month in (1, 2, 3):
        await report(services, result(f"2024-0{month}-10", 6.0), local_id=f"lab-{month}")
    await report(services, result("2024-04-10", 6.0, **marked("UNDELIVERED")), by=HOSPITAL_SYSTEM)
    await report(services, result("2024-05-10", 6.0), result("2024-06-10", 6.0))
    await report(
        services, result("2023-05-10", 6.0), local_id="lab-1"
    )  # replaces: the fourth-newest is another now
    drug = {"medicationCodeableConcept": coded("urn:drugs", "A", "A錠"), "authoredOn": "2026-01-01"}
    await summary(services, a_resource("MedicationRequest", **drug), a_resource("Condition"), code="57133-1")
    return (await summary(services, result("2022-01-10", 6.0))).patient


def shown(connection: Connection[Any], patient: UUID, at: datetime) -> set[UUID]:
    """Every payload of which a reading that is decided then shows something, at one `asOf` or another."""
    generation = live_generation(connection, NAME)
    schema = f"{NAME}_g{generation}"
    entries, documents = (Identifier(schema, one) for one in ("entry", "document"))
    found: set[UUID] = set()

    def ask(column: str, table: Composable, where: Composable) -> None:
        statement = SQL("SELECT {} FROM {} WHERE {}").format(Identifier(column), table, where)
        found.update(payload for (payload,) in connection.execute(statement))

    for position in range(1, head_of(connection, patient) + 1):
        sight = Sight(
            patient=patient,
            grounds=(ALL_SEEING,),
            generation=generation,
            position=position,
            decided_at=at,
        )
        ask("unit", entries, sight.predicate(history=True, facts=True, schema=schema))
        ask("received", documents, sight.predicate(history=True))
    return found


async def wrongly_planned(services: Services, connection: Connection[Any]) -> set[UUID]:
    """What is planned at a moment at which it is shown: just before, at and behind every end there is."""
    patient = await a_life(services)
    catch_up(connection)
    rows: list[EntryRow | DocumentRow] = [*live_rows(connection, NAME, EntryRow)]
    rows += live_rows(connection, NAME, DocumentRow)
    ends = {row.visible_until for row in rows if row.visible_until is not None}
    wrong: set[UUID] = set()
    for at in sorted({at for end in ends for at in (end - SECOND, end, end + SECOND)} | {CENTURIES}):
        planned_then = {payload for _, one in (await planned(services, at)).found for payload in one.payloads}
        wrong |= planned_then & shown(connection, patient, at)
    assert planned_then, "nothing is planned at all"
    return wrong


def test_what_is_planned_is_shown_by_no_reading(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        assert await wrongly_planned(services, connection) == set()

    run(story)


def test_a_plan_that_forgets_the_last_three_is_caught(
    run: Run, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight_ends, "LAST", 0)

    async def story(services: Services) -> None:
        assert await wrongly_planned(services, connection) != set()

    run(story)
