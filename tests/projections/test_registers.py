"""The smaller projections through real actions: consents, numbers, and who looked."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from psycopg import Connection

from examples import (
    AUDITOR,
    CLINIC,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    NUMBER,
    a_bundle,
    herself,
)
from log_examples import Run
from projection_examples import catch_up, live_rows, rebuilt
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.withdraw_consent import withdraw_consent
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import Services
from tsuzuri.domain.identifiers import INSURED_PERSON_SYSTEM, LOCAL_SYSTEMS, InsuredPersonNumber
from tsuzuri.domain.owners import facility_owner, person_owner
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.schema import build_schema
from tsuzuri.projections import audit_trail, consent_register, identities
from tsuzuri.projections.audit_trail import AccessRow
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.consent_register import ConsentRow
from tsuzuri.projections.identities import NumberRow, PersonRow

CONDITION, LAB = RecordClass.CONDITION, RecordClass.LAB_RESULT
KEY = InsuredPersonNumber.parse(NUMBER)

# --- consents -------------------------------------------------------------------------------------


async def consent(services: Services, *classes: RecordClass) -> UUID:
    """At the hospital's card reader, for 24 hours."""
    return await grant_consent(
        services, HOSPITAL_SYSTEM, KEY, HOSPITAL, classes, PurposeOfUse.TREAT, until=None
    )


async def withdraw(services: Services, *classes: RecordClass) -> UUID:
    return await withdraw_consent(services, HOSPITAL_SYSTEM, KEY, HOSPITAL, classes)


def test_a_consent_is_a_row_for_each_class(run: Run, connection: Connection[Any]) -> None:
    because = run(lambda services: consent(services, CONDITION, LAB))
    catch_up(connection)

    rows = live_rows(connection, consent_register.NAME, ConsentRow)

    assert [row.record_class for row in rows] == ["CONDITION", "LAB_RESULT"]
    for row in rows:
        assert (row.facility, row.purpose, row.given) == (HOSPITAL, "TREAT", "card-reader")
        assert row.until - row.since == timedelta(hours=24)
        assert row.because == because
        assert (row.to_pos, row.ended_at, row.withdrawn) == (None, None, False)


def test_what_is_withdrawn_is_closed_and_stays_in_the_history(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> list[UUID]:
        first = await consent(services, CONDITION, LAB)
        await withdraw(services, LAB)
        again = await consent(services, LAB)
        await withdraw(services)
        return [first, again]

    first, again = run(story)
    catch_up(connection)

    rows = live_rows(connection, consent_register.NAME, ConsentRow)
    history = [
        (row.record_class, row.because, row.from_pos, row.to_pos, row.withdrawn)
        for row in sorted(rows, key=lambda row: (row.record_class, row.from_pos))
    ]
    assert history == [
        ("CONDITION", first, 1, 3, False),  # the second consent at the card reader took its place
        ("LAB_RESULT", first, 1, 2, True),
        ("LAB_RESULT", again, 3, 4, True),
    ]
    assert all(row.ended_at is not None and row.ended_at > row.granted_at for row in rows)


def test_a_consent_given_anew_ends_the_old_one_which_was_not_withdrawn(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await consent(services, CONDITION, LAB)
        await consent(services, CONDITION)

    run(story)
    catch_up(connection)

    rows = live_rows(connection, consent_register.NAME, ConsentRow)
    assert [(row.record_class, row.from_pos, row.to_pos, row.withdrawn) for row in rows] == [
        ("CONDITION", 1, 2, False),
        ("CONDITION", 2, None, False),
        ("LAB_RESULT", 1, 2, False),
    ]
    assert rows[0].ended_at == rows[2].ended_at == rows[1].granted_at


def test_a_consent_at_the_card_reader_leaves_alone_what_the_patient_set_herself(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        patient = (await register_bundle(services, CLINIC_SYSTEM, a_bundle())).patient
        next_year = services.now() + timedelta(days=365)
        purpose = PurposeOfUse.TREAT
        await grant_consent(services, herself(patient), patient, HOSPITAL, [CONDITION], purpose, next_year)
        await consent(services, CONDITION)

    run(story)
    catch_up(connection)

    rows = live_rows(connection, consent_register.NAME, ConsentRow)
    assert {(row.given, row.to_pos) for row in rows} == {("patient", None), ("card-reader", None)}


def test_a_withdrawal_concerns_one_facility(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await consent(services, CONDITION)
        await grant_consent(services, CLINIC_SYSTEM, KEY, CLINIC, [CONDITION], PurposeOfUse.TREAT, None)
        await withdraw(services)

    run(story)
    catch_up(connection)

    rows = live_rows(connection, consent_register.NAME, ConsentRow)
    assert {row.facility: row.withdrawn for row in rows} == {CLINIC: False, HOSPITAL: True}


# --- numbers and names ----------------------------------------------------------------------------


def test_a_patient_has_the_numbers_and_the_name_she_was_last_stated_by(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> UUID:
        answer = await register_bundle(services, CLINIC_SYSTEM, a_bundle(name="試験 花子"))
        married = a_bundle(facility=HOSPITAL, name="例 花子")
        assert (await register_bundle(services, HOSPITAL_SYSTEM, married)).patient == answer.patient
        return answer.patient

    patient = run(story)
    catch_up(connection)

    (person,) = live_rows(connection, identities.NAME, PersonRow)
    assert (person.patient_id, person.name, person.facility) == (patient, "例 花子", HOSPITAL)
    assert (person.birth_date, person.sex) == ("1970-01-02", "female")
    numbers = live_rows(connection, identities.NAME, NumberRow)
    assert {(row.system, row.value, row.facility) for row in numbers} == {
        (INSURED_PERSON_SYSTEM, NUMBER, CLINIC),
        (LOCAL_SYSTEMS[0] + CLINIC, "P-1", CLINIC),
        (LOCAL_SYSTEMS[0] + HOSPITAL, "P-1", HOSPITAL),
    }
    assert not any(row.disputed for row in numbers)


def test_a_wrong_branch_number_makes_another_patient_and_a_disputed_number(
    run: Run, connection: Connection[Any]
) -> None:
    wrong = NUMBER[:-2] + "06"

    async def story(services: Services) -> list[UUID]:
        sent = [a_bundle(), a_bundle(number=wrong, local_id="set-2")]
        return [(await register_bundle(services, CLINIC_SYSTEM, bundle)).patient for bundle in sent]

    first, second = run(story)
    catch_up(connection)

    assert first != second
    numbers = live_rows(connection, identities.NAME, NumberRow)
    local = LOCAL_SYSTEMS[0] + CLINIC
    assert {(row.patient_id, row.system, row.value, row.disputed) for row in numbers} == {
        (first, INSURED_PERSON_SYSTEM, NUMBER, False),
        (first, local, "P-1", False),
        (second, INSURED_PERSON_SYSTEM, wrong, False),
        (second, local, "P-1", True),
    }


# --- who looked -----------------------------------------------------------------------------------

READ = """query Look($patient: PatientKey!) { patientRecord(patient: $patient) {
    ... on PatientRecord { accessId entries(first: 10) { nodes { id name } } }
    ... on AccessRefused { accessId reason } } }"""
TRAIL = "query Trail($first: Int!) { accessTrail(first: $first) { nodes { id } } }"


@pytest.fixture
def accesses(
    open_application: Callable[[], AbstractAsyncContextManager[TsuzuriApplication]],
    run: Run,
    connection: Connection[Any],
) -> tuple[UUID, UUID, list[str]]:
    """The patient, her consent's id, and the access ids of a permitted read, a refused one, and a look at the trail."""

    async def read(application: TsuzuriApplication) -> str:
        number = {"insuredPerson": NUMBER}
        answer = await execute(build_schema(), application, DOCTOR, READ, {"patient": number})
        return str(answer["data"]["patientRecord"]["accessId"])

    async def story(_: Services) -> tuple[UUID, UUID, list[str]]:
        async with open_application() as application:
            services = application.services
            patient = (await register_bundle(services, CLINIC_SYSTEM, a_bundle())).patient
            because = await consent(services, CONDITION, LAB)
            catch_up(connection)
            permitted = await read(application)
            await withdraw(services)
            refused = await read(application)
            catch_up(connection)
            trail = await execute(build_schema(), application, AUDITOR, TRAIL, {"first": 5})
            assert {node["id"] for node in trail["data"]["accessTrail"]["nodes"]} == {permitted, refused}
            catch_up(connection)
            return patient, because, [permitted, refused]

    found: tuple[UUID, UUID, list[str]] = run(story)
    return found


def test_every_look_is_a_row_that_says_who_at_whom_and_why(
    accesses: tuple[UUID, UUID, list[str]], connection: Connection[Any]
) -> None:
    patient, because, (permitted_id, refused_id) = accesses

    rows = {row.outcome: row for row in live_rows(connection, audit_trail.NAME, AccessRow)}

    assert rows.keys() == {"PERMITTED", "REFUSED", "TRAIL_READ"}
    permitted = rows["PERMITTED"]
    assert (str(permitted.access), permitted.patient_id) == (permitted_id, patient)
    assert permitted.owner_id == patient
    assert (permitted.person, permitted.role, permitted.facility) == ("dr-hamada", "CLINICIAN", HOSPITAL)
    assert (permitted.purpose, permitted.bases, permitted.because) == ("TREAT", ["CONSENT"], [because])
    assert permitted.classes_permitted == ["CONDITION", "LAB_RESULT"]
    assert (permitted.entries_shown, permitted.consent_version) == (1, 1)
    assert msgspec.json.decode(permitted.shown_by_class) == {"CONDITION": 1}
    assert msgspec.json.decode(permitted.grounds)[0]["because"] == str(because)
    assert (permitted.operation_name, permitted.session, permitted.reason) == ("Look", "s-1", None)
    assert permitted.shown_sha256 is not None and permitted.answer_sha256 is not None

    refused = rows["REFUSED"]
    assert (str(refused.access), refused.reason, refused.patient_id) == (refused_id, "NOT_AVAILABLE", patient)
    assert refused.owner_id == facility_owner(HOSPITAL), "the patient's own stream stays as it was"
    assert (refused.person, refused.facility, refused.consent_version) == ("dr-hamada", HOSPITAL, 2)
    assert (refused.bases, refused.because, refused.entries_shown) == ([], [], 0)

    trail = rows["TRAIL_READ"]
    assert (trail.person, trail.role, trail.facility) == ("auditor-abe", "AUDITOR", None)
    assert (trail.owner_id, trail.patient_id) == (person_owner("auditor-abe"), None)
    assert (trail.operation_name, trail.entries_shown, trail.bases) == ("Trail", 2, ["AUDIT"])

    logged = connection.execute(
        "SELECT event_id, part, pos, recorded_at FROM event WHERE stream = 3 AND topic <> 'document-kept'"
    ).fetchall()
    assert {(row.access, row.part, row.pos, row.at) for row in rows.values()} == set(logged)
    comparison = rebuilt(connection, PROJECTIONS[audit_trail.NAME])
    assert (comparison.rows, comparison.equal) == (3, True)


def test_a_patients_own_look_rests_on_herself(
    open_application: Callable[[], AbstractAsyncContextManager[TsuzuriApplication]],
    run: Run,
    connection: Connection[Any],
) -> None:
    async def story(_: Services) -> UUID:
        async with open_application() as application:
            patient = (await register_bundle(application.services, CLINIC_SYSTEM, a_bundle())).patient
            catch_up(connection)
            await execute(
                build_schema(),
                application,
                herself(patient),
                "{ me { record { entries(first: 1) { totalCount } } } }",
            )
            catch_up(connection)
            return patient

    patient = run(story)

    (row,) = live_rows(connection, audit_trail.NAME, AccessRow)
    assert (row.patient_id, row.role, row.facility) == (patient, "PATIENT", None)
    assert (row.purpose, row.bases, row.because) == ("PATRQT", ["SELF"], [])
