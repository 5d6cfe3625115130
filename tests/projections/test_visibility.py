"""What is too old is seen no more, at the exact moment; of results the last three are, however old they are."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_bundle
from fhir_examples import (
    CORE_LABO,
    INSURED_SYSTEM,
    Json,
    a_collection,
    a_patient,
    a_resource,
    coded,
    quantity,
)
from log_examples import Run
from projection_examples import catch_up, head_of, live_rows
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.record_index import NAME
from tsuzuri.projections.record_rows import EntryRow
from tsuzuri.projections.sight import Sight

HBA1C = "3D0460000001906202"
SECOND = timedelta(seconds=1)


def result(day: str, value: float, **changes: Any) -> Json:
    code = coded(CORE_LABO, HBA1C, "HbA1c")
    return a_resource(
        "Observation", code=code, valueQuantity=quantity(value, "%"), effectiveDateTime=day, **changes
    )


async def report(
    services: Services, *results: Json, by: Caller = CLINIC_SYSTEM, local_id: str = "lab"
) -> UUID:
    patient = a_patient(identifier=[{"system": INSURED_SYSTEM, "value": NUMBER}])
    facility = by.facility or CLINIC
    bundle = a_collection(
        *results,
        patient=patient,
        identifier={"system": "urn:sample", "value": f"{facility}^2026^{local_id}"},
    )
    return (await register_bundle(services, by, orjson.dumps(bundle))).patient


def seen(
    connection: Connection[Any],
    patient: UUID,
    at: datetime,
    *,
    classes: Sequence[RecordClass] = tuple(RecordClass),
    flags: tuple[Flag, ...] = (Flag.LTS,),
) -> list[str]:
    """Name and value of what a reading shows that is decided then."""
    catch_up(connection)
    generation = live_generation(connection, NAME)
    table = Identifier(f"{NAME}_g{generation}", "entry")
    sight = Sight(
        patient=patient,
        generation=generation,
        grounds=(Ground(basis=AccessBasis.CONSENT, classes=tuple(classes), flags=flags, because=uuid4()),),
        position=head_of(connection, patient),
        decided_at=at,
    )
    where = sight.predicate(history=True, facts=True, schema=f"{NAME}_g{generation}")
    rows = connection.execute(
        SQL("SELECT name, value::json ->> 'number' FROM {} WHERE {} ORDER BY sort_at").format(table, where)
    )
    return [f"{name} {value or ''}".strip() for name, value in rows.fetchall()]


def end_of(connection: Connection[Any], name: str) -> datetime:
    catch_up(connection)
    (row,) = [row for row in live_rows(connection, NAME, EntryRow) if row.name == name]
    assert row.visible_until is not None
    return row.visible_until


def test_after_five_years_a_diagnosis_is_gone_and_one_marked_for_long_keeping_is_not(
    run: Run, connection: Connection[Any]
) -> None:
    both = a_bundle(conditions={"20065011": "上腹部痛", "20058911": "狭心症"}, flags={"20058911": "LTS"})

    async def story(services: Services) -> UUID:
        return (await register_bundle(services, CLINIC_SYSTEM, both)).patient

    patient = run(story)
    end = end_of(connection, "上腹部痛")

    assert sorted(seen(connection, patient, end - SECOND)) == ["上腹部痛", "狭心症"]
    assert seen(connection, patient, end) == ["狭心症"]
    assert seen(connection, patient, end + timedelta(days=36_500)) == ["狭心症"]


def test_a_set_sent_again_counts_from_its_last_registration(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> UUID:
        await register_bundle(services, CLINIC_SYSTEM, a_bundle(local_id="1"))
        later = a_bundle(local_id="2", timestamp="2026-11-21T10:00:00+09:00")
        return (await register_bundle(services, CLINIC_SYSTEM, later)).patient

    patient = run(story)
    catch_up(connection)
    ends = sorted(row.visible_until for row in live_rows(connection, NAME, EntryRow) if row.visible_until)

    assert seen(connection, patient, ends[0]) == ["上腹部痛"]
    assert seen(connection, patient, ends[1]) == []


def test_the_fourth_newest_result_older_than_a_year_is_gone_whatever_its_code_or_facility(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> UUID:
        await report(services, result("2024-01-10", 6.1), result("2024-02-10", 6.2))
        await report(services, result("2026-02-10", 6.3), by=HOSPITAL_SYSTEM)
        return await report(services, result("2026-03-10", 6.4), local_id="lab-2")

    patient = run(story)

    assert seen(connection, patient, datetime(2026, 12, 1, tzinfo=UTC)) == [
        "HbA1c 6.2",
        "HbA1c 6.3",
        "HbA1c 6.4",
    ]


def test_within_a_year_all_results_are_seen_and_the_year_ends_at_its_moment(
    run: Run, connection: Connection[Any]
) -> None:
    days = [f"2026-0{month}-10T09:00:00+09:00" for month in (1, 2, 3, 4)]
    patient = run(lambda services: report(services, *(result(day, 6 + n / 10) for n, day in enumerate(days))))
    end = datetime(2027, 1, 10, 0, 0, tzinfo=UTC)

    assert len(seen(connection, patient, end - SECOND)) == 4
    assert seen(connection, patient, end) == ["HbA1c 6.1", "HbA1c 6.2", "HbA1c 6.3"]


def test_a_cancelled_or_replaced_result_is_none_of_the_last_three(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> UUID:
        old = [result(f"2024-0{month}-10", 6 + month / 10) for month in (1, 2, 3)]
        await report(services, *old)
        await report(services, result("2026-04-10", 7.0), local_id="lab-2")
        return await report(services, result("2024-01-01", 7.1), local_id="lab-2")

    patient = run(story)

    found = seen(connection, patient, datetime(2026, 12, 1, tzinfo=UTC))
    assert found == ["HbA1c 6.1", "HbA1c 6.2", "HbA1c 6.3"], "7.0 was replaced by one older than these"


def test_what_is_hidden_displaces_none_of_the_last_three(run: Run, connection: Connection[Any]) -> None:
    mark = {"system": "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication", "code": "UNINFORMED"}

    async def story(services: Services) -> UUID:
        old = [result(f"2024-0{month}-10", 6 + month / 10) for month in (1, 2, 3)]
        return await report(services, *old, result("2024-05-10", 7.0, meta={"tag": [mark]}))

    patient = run(story)
    now = datetime(2026, 12, 1, tzinfo=UTC)

    assert seen(connection, patient, now) == ["HbA1c 6.1", "HbA1c 6.2", "HbA1c 6.3"]
    told = seen(connection, patient, now, flags=(Flag.LTS, Flag.UNINFORMED))
    assert told == ["HbA1c 6.2", "HbA1c 6.3", "HbA1c 7.0"]


@pytest.mark.parametrize("facility", [CLINIC, HOSPITAL])
def test_an_order_is_seen_for_a_hundred_days_and_of_each_drug_the_last_three(
    run: Run, connection: Connection[Any], facility: str
) -> None:
    def order(day: str, drug: str) -> Json:
        return a_resource(
            "MedicationRequest", medicationCodeableConcept=coded("urn:drugs", drug, drug), authoredOn=day
        )

    orders = [order(f"2026-0{month}-01", "A錠") for month in (1, 2, 3, 4)] + [order("2026-01-01", "B錠")]
    by = Caller(**vars(CLINIC_SYSTEM) | {"facility": facility})
    patient = run(lambda services: report(services, *orders, by=by))

    early, late = datetime(2026, 4, 10, 14, 59, 59, tzinfo=UTC), datetime(2026, 4, 10, 15, tzinfo=UTC)
    assert len(seen(connection, patient, early)) == 5, "a hundred days from the first of January in Japan"
    assert sorted(seen(connection, patient, late)) == ["A錠", "A錠", "A錠", "B錠"]
