"""Diagnoses and allergies come as full sets: what the newest set of a facility does not name has ended."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from psycopg import Connection

from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_bundle
from fhir_examples import a_document, a_patient, a_resource
from log_examples import Run, settings_at
from projection_examples import BUNDLE_SYSTEM, bundle_value, catch_up, live_rows
from tsuzuri.app.actions.correct_bundle import cancel_bundle, restore_bundle
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services, services
from tsuzuri.domain.corrections import NothingToRestore
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import DocumentKind
from tsuzuri.projections.record_index import NAME
from tsuzuri.projections.record_rows import EntryRow

PAIN, FEVER, COUGH = {"20065011": "上腹部痛"}, {"20054092": "発熱"}, {"20051881": "咳"}
KEY = InsuredPersonNumber.parse(NUMBER)


def at(minute: int) -> str:
    return f"2026-11-20T10:{minute:02}:00+09:00"


async def send(services: Services, *bundles: bytes) -> UUID:
    for bundle in bundles:
        answer = await register_bundle(services, CLINIC_SYSTEM, bundle)
    return answer.patient


async def take_back(services: Services, local_id: str) -> UUID:
    return await cancel_bundle(
        services, CLINIC_SYSTEM, KEY, BUNDLE_SYSTEM, bundle_value(local_id), DocumentKind.CONDITIONS, "誤り"
    )


async def put_back(services: Services, local_id: str) -> UUID:
    return await restore_bundle(
        services,
        CLINIC_SYSTEM,
        KEY,
        BUNDLE_SYSTEM,
        bundle_value(local_id),
        DocumentKind.CONDITIONS,
        "取消の誤り",
    )


def in_force(connection: Connection[Any]) -> list[str]:
    catch_up(connection)
    return sorted(row.name for row in _rows(connection) if row.to_pos is None)


def as_of(connection: Connection[Any], position: int) -> list[str]:
    """What may be seen of the moment when the log stood there."""
    return sorted(
        row.name
        for row in _rows(connection)
        if row.cancelled_by is None
        and row.from_pos <= position
        and (row.to_pos is None or row.to_pos > position)
    )


def _rows(connection: Connection[Any]) -> Sequence[EntryRow]:
    return live_rows(connection, NAME, EntryRow)


def test_a_set_that_drops_a_diagnosis_ends_it_and_history_keeps_it(
    run: Run, connection: Connection[Any]
) -> None:
    first = a_bundle(local_id="1", timestamp=at(1), conditions=PAIN | FEVER)
    second = a_bundle(local_id="2", timestamp=at(2), conditions=PAIN)

    run(lambda services: send(services, first, second))

    assert in_force(connection) == ["上腹部痛"]
    began = max(row.from_pos for row in _rows(connection))
    assert as_of(connection, began - 1) == ["上腹部痛", "発熱"]
    assert as_of(connection, began) == ["上腹部痛"]


def test_a_set_without_any_entry_ends_all(run: Run, connection: Connection[Any]) -> None:
    first = a_bundle(local_id="1", timestamp=at(1), conditions=PAIN | FEVER)
    cleared = a_bundle(local_id="2", timestamp=at(2), conditions={})

    run(lambda services: send(services, first, cleared))

    assert in_force(connection) == []


def test_a_replacement_that_is_refused_leaves_the_old_data(run: Run, connection: Connection[Any]) -> None:
    old = a_bundle(local_id="1", timestamp=at(1), conditions=PAIN)
    broken = a_bundle(local_id="1", timestamp=at(2), conditions=FEVER).replace(b"Condition", b"Conditiom")

    async def story(services: Services) -> None:
        await send(services, old)
        with pytest.raises(BundleRejected):
            await send(services, broken)

    run(story)

    assert in_force(connection) == ["上腹部痛"]


def test_an_older_set_that_comes_late_changes_nothing_and_its_sender_is_told(
    run: Run, connection: Connection[Any]
) -> None:
    newer = a_bundle(local_id="2", timestamp=at(2), conditions=PAIN)
    late = a_bundle(local_id="1", timestamp=at(1), conditions=FEVER)

    async def story(services: Services) -> tuple[str, ...]:
        await send(services, newer)
        return (await register_bundle(services, CLINIC_SYSTEM, late)).warnings

    assert "older-than-the-set-in-force" in run(story)
    assert in_force(connection) == ["上腹部痛"]


def test_sets_of_other_facilities_stand_beside_each_other(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await send(services, a_bundle(local_id="1", timestamp=at(1), conditions=PAIN))
        hospital = a_bundle(facility=HOSPITAL, local_id="1", timestamp=at(2), conditions=FEVER)
        await register_bundle(services, HOSPITAL_SYSTEM, hospital)

    run(story)

    assert in_force(connection) == ["上腹部痛", "発熱"]


def test_cancelling_the_newest_set_puts_the_one_before_in_force_again(
    run: Run, connection: Connection[Any]
) -> None:
    first = a_bundle(local_id="1", timestamp=at(1), conditions=PAIN | FEVER)
    second = a_bundle(local_id="2", timestamp=at(2), conditions=COUGH)

    async def story(services: Services) -> None:
        await send(services, first, second)
        await take_back(services, "2")

    run(story)

    assert in_force(connection) == ["上腹部痛", "発熱"]
    ended = next(row for row in _rows(connection) if row.name == "発熱" and row.to_pos is not None)
    assert ended.to_pos is not None
    assert as_of(connection, ended.to_pos) == [], "between the two, what was cancelled is hidden"


def test_a_cancellation_that_is_taken_back_shows_the_bundle_again_now_and_then(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await send(services, a_bundle(local_id="1", timestamp=at(1), conditions=PAIN))
        await take_back(services, "1")
        await put_back(services, "1")
        assert await put_back(services, "1"), "what is in force stays so"

    run(story)

    assert in_force(connection) == ["上腹部痛"]
    began = min(row.from_pos for row in _rows(connection))
    assert as_of(connection, began) == ["上腹部痛"]


def test_what_was_never_registered_cannot_be_restored(run: Run) -> None:
    async def story(services: Services) -> None:
        await send(services, a_bundle(local_id="1"))
        with pytest.raises(NothingToRestore):
            await put_back(services, "2")

    run(story)


def test_diagnoses_out_of_a_document_stand_until_the_next_set(run: Run, connection: Connection[Any]) -> None:
    async def refer(services: Services) -> None:
        patient = a_patient(identifier=[{"system": _INSURED, "value": NUMBER}])
        found = a_resource("Condition", code={"text": "胃炎"})
        document = a_document(found, patient=patient, timestamp=at(2))
        body = orjson.dumps(document).replace(b"1310000001", CLINIC.encode())
        await send(services, a_bundle(local_id="1", timestamp=at(1), conditions=PAIN), body)

    run(refer)
    assert in_force(connection) == ["上腹部痛", "胃炎"]

    run(lambda services: send(services, a_bundle(local_id="2", timestamp=at(3), conditions=PAIN)))
    assert in_force(connection) == ["上腹部痛"]


def test_the_same_identifier_under_another_kind_is_taken_with_a_warning(run: Run) -> None:
    async def story(services: Services) -> tuple[str, ...]:
        await send(services, a_bundle(local_id="1"))
        patient = a_patient(identifier=[{"system": _INSURED, "value": NUMBER}])
        own = {"system": BUNDLE_SYSTEM, "value": bundle_value("1")}
        body = orjson.dumps(a_document(patient=patient, identifier=own))
        sent = body.replace(b"1310000001", CLINIC.encode())
        return (await register_bundle(services, CLINIC_SYSTEM, sent)).warnings

    assert "bundle-identifier-under-another-kind: CONDITIONS" in run(story)


@pytest.mark.parametrize(("scope", "left"), [("facility", ["発熱"]), ("department", ["上腹部痛", "発熱"])])
def test_a_set_is_the_facilitys_or_where_kept_so_a_departments(
    dsn: str, connection: Connection[Any], tmp_path: Path, scope: str, left: list[str]
) -> None:
    async def story() -> None:
        async with services(settings_at(tmp_path, TSUZURI_SET_SCOPE=scope), dsn) as opened:
            await send(opened, of("内科", a_bundle(local_id="1", timestamp=at(1), conditions=PAIN)))
            await send(opened, of("小児科", a_bundle(local_id="2", timestamp=at(2), conditions=FEVER)))

    asyncio.run(story())

    assert in_force(connection) == left


def test_a_set_that_moves_to_another_department_ends_nothing_at_the_first_any_more(
    dsn: str, connection: Connection[Any], tmp_path: Path
) -> None:
    async def story() -> None:
        async with services(settings_at(tmp_path, TSUZURI_SET_SCOPE="department"), dsn) as opened:
            await send(opened, of("内科", a_bundle(local_id="1", timestamp=at(1), conditions=PAIN)))
            await send(opened, of("内科", a_bundle(local_id="2", timestamp=at(2), conditions=FEVER)))
            await send(opened, of("小児科", a_bundle(local_id="2", timestamp=at(3), conditions=FEVER)))

    asyncio.run(story())

    assert in_force(connection) == ["上腹部痛", "発熱"]


def of(department: str, bundle: bytes) -> bytes:
    tree = orjson.loads(bundle)
    url = "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department"
    for entry in tree["entry"][1:]:
        entry["resource"]["extension"] += [{"url": url, "valueCodeableConcept": {"text": department}}]
    return orjson.dumps(tree)


_INSURED = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
