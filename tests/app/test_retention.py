"""Given what was registered, when its time is over, then it is erased for ever, at its moment and no earlier."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, HOSPITAL_SYSTEM, NUMBER, OPERATOR
from fhir_examples import FACILITY, a_resource
from history_examples import a_system
from log_examples import Run, everything, opened_payloads
from projection_examples import BUNDLE_SYSTEM, bundle_value, catch_up, live_rows
from retention_examples import (
    CENTURIES,
    SODIUM,
    diagnoses,
    end_of,
    erased,
    names,
    planned,
    report,
    result,
    summary,
    the_same_from_zero,
)
from tsuzuri.app.actions.correct_bundle import cancel_bundle
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.services import Services
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.retention import visible_until
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Stream
from tsuzuri.projections.record_rows import DocumentRow, EntryRow

SECOND = timedelta(seconds=1)
SHE = InsuredPersonNumber.parse(NUMBER)


# --- each boundary: the moment before and the moment after


def test_a_set_of_diagnoses_goes_with_its_bytes_after_five_years(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        told = await diagnoses(services)
        end = end_of(connection)
        before = everything(connection)
        assert (await erased(services, end - SECOND)).found == []
        assert everything(connection) == before

        account = (await erased(services, end)).account

        assert (account.bundles, account.patients, account.classes) == (1, 1, {RecordClass.CONDITION: 1})
        assert opened_payloads(connection) == {}
        event = (await services.log.stream(told.patient, Stream.RECORD))[-1]
        assert event.reason == f"retention: CONDITION past {end:%Y-%m-%dT%H:%M:%SZ}"
        assert event.erased_by == OPERATOR.person
        assert names(connection) == []
        the_same_from_zero(connection)

    run(story)


CODES = {
    "a referral": ("57133-1", RecordClass.REFERRAL),
    "a discharge summary": ("18842-5", RecordClass.DISCHARGE_SUMMARY),
    "a check-up report": ("53576-5", RecordClass.CHECKUP_REPORT),
    "a patient summary": ("56447-6", RecordClass.PATIENT_SUMMARY),
}


@pytest.mark.parametrize(("code", "own"), CODES.values(), ids=CODES)
def test_a_document_goes_at_its_moment(
    run: Run, connection: Connection[Any], code: str, own: RecordClass
) -> None:
    async def story(services: Services) -> None:
        told = await summary(services, code=code)
        end = end_of(connection, DocumentRow)
        assert (await erased(services, end - SECOND)).found == []

        ((patient, one),) = (await erased(services, end)).found

        assert (patient, one.document, one.classes) == (told.patient, told.document, (own,))
        assert opened_payloads(connection) == {}
        catch_up(connection)
        assert live_rows(connection, "record_index", DocumentRow) == []
        the_same_from_zero(connection)

    run(story)


def test_the_diagnoses_taken_out_of_a_referral_outlive_it_in_a_rebuild_too(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        told = await summary(services, a_resource("Condition", code={"text": "狭心症"}), code="57133-1")
        end = end_of(connection, DocumentRow)
        (unit,) = (await load_record(services, told.patient)).documents[told.document].units

        await erased(services, end)

        assert opened_payloads(connection).keys() == {unit}
        assert names(connection) == ["狭心症"]
        the_same_from_zero(connection)
        later = end_of(connection)
        assert (await erased(services, later - SECOND)).found == []
        assert (await erased(services, later)).account.classes == {RecordClass.CONDITION: 1}
        assert (opened_payloads(connection), names(connection)) == ({}, [])
        the_same_from_zero(connection)

    run(story)


def test_results_taken_out_of_a_discharge_summary_do_not_go_before_it(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await summary(services, result("2020-01-10", 6.0))
        for month in (1, 2, 3):
            newer = result(f"2026-0{month}-10", 6.1)
            await report(services, newer, local_id=f"lab-{month}", by=a_system(FACILITY))
        end = end_of(connection, DocumentRow)
        assert (await erased(services, end - SECOND)).found == []

        ((_, one),) = (await erased(services, end)).found

        assert one.classes == (RecordClass.LAB_RESULT, RecordClass.DISCHARGE_SUMMARY)
        the_same_from_zero(connection)

    run(story)


# --- what stays


def test_what_is_marked_for_long_keeping_stays_and_all_that_came_with_it(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        both = {"20065011": "上腹部痛", "20058911": "狭心症"}
        await diagnoses(services, conditions=both, flags={"20058911": "LTS"})
        await diagnoses(services, local_id="alone", timestamp="2026-11-19T10:00:00+09:00")
        end_of(connection)

        found = await erased(services, CENTURIES)

        assert found.account.bundles == 1
        assert names(connection) == ["上腹部痛", "狭心症"]

    run(story)


def test_the_fourth_newest_result_goes_when_it_is_a_year_old_and_the_last_three_stay(
    run: Run, connection: Connection[Any]
) -> None:
    days = [f"2026-0{month}-10T09:00:00+09:00" for month in (1, 2, 3, 4)]
    end = datetime(2027, 1, 10, tzinfo=UTC)

    async def story(services: Services) -> None:
        told = [await report(services, result(day, 6.0), local_id=f"lab-{day[5:7]}") for day in days]
        catch_up(connection)
        assert (await erased(services, end - SECOND)).found == []
        assert (await erased(services, CENTURIES)).documents == [told[0].document]
        assert len(names(connection)) == 3
        assert (await erased(services, CENTURIES)).found == []

        await report(services, result("2026-05-10", 6.0), local_id="lab-05")
        catch_up(connection)

        assert (await erased(services, CENTURIES)).documents == [told[1].document]
        the_same_from_zero(connection)

    run(story)


def test_a_result_that_is_none_of_the_last_three_stays_with_one_that_is(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        mixed = await report(
            services, result("2024-01-10", 6.0), result("2024-01-10", 140, SODIUM), local_id="both"
        )
        for month in (1, 2, 3):
            await report(services, result(f"2026-0{month}-10", 6.1), local_id=f"lab-{month}")
        catch_up(connection)
        assert (await erased(services, CENTURIES)).found == []

        for month in (1, 2, 3):
            await report(services, result(f"2026-0{month}-10", 141, SODIUM), local_id=f"na-{month}")
        catch_up(connection)

        assert (await erased(services, CENTURIES)).documents == [mixed.document]

    run(story)


def test_a_result_stays_while_it_is_one_of_the_last_three_for_anybody_who_sees_it(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        oldest = await report(services, result("2024-01-10", 6.0), local_id="old")
        for month in (2, 3, 4):
            await report(
                services, result(f"2024-0{month}-10", 6.1), local_id=f"h-{month}", by=HOSPITAL_SYSTEM
            )
        catch_up(connection)
        assert (await planned(services, CENTURIES)).found == [], "it is the clinic's own last one"

        for month in (5, 6):
            await report(services, result(f"2024-0{month}-10", 6.2), local_id=f"c-{month}")
        await report(services, result("2024-07-10", 6.3), local_id="newest")
        catch_up(connection)

        assert (await planned(services, CENTURIES)).documents == [oldest.document]

    run(story)


# --- what was replaced or cancelled


def test_what_was_replaced_goes_five_years_after_its_own_registration(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await diagnoses(services)
        first = end_of(connection)
        await diagnoses(services, timestamp="2026-11-21T10:00:00+09:00", conditions={"20054092": "発熱"})
        last = end_of(connection)
        assert first < last

        assert (await erased(services, first)).account.bundles == 1

        assert names(connection) == ["発熱"]
        assert len(opened_payloads(connection)) == 3
        the_same_from_zero(connection)
        assert (await erased(services, last)).account.bundles == 1
        assert opened_payloads(connection) == {}

    run(story)


def test_a_result_that_was_replaced_is_none_of_the_last_and_goes_a_year_after_its_registration(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        told = await report(services, result("2020-01-10", 6.0))
        await report(services, result("2020-01-10", 6.1))
        catch_up(connection)
        first, second = live_rows(connection, "record_index", EntryRow)
        a_year = visible_until(RecordClass.LAB_RESULT, registered_at=first.registered_at)
        assert a_year is not None
        assert (await erased(services, a_year - SECOND)).found == []

        ((_, one),) = (await erased(services, CENTURIES)).found

        assert (one.document, one.since) == (told.document, a_year)
        assert {first.unit} < {*one.payloads} and second.unit not in one.payloads
        the_same_from_zero(connection)

    run(story)


def test_what_was_cancelled_can_be_restored_for_five_years_and_then_is_gone_long_keeping_or_not(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await diagnoses(services)
        end = end_of(connection)
        await diagnoses(services, local_id="taken-back", flags={"20065011": "LTS"})
        value = bundle_value("taken-back")
        await cancel_bundle(
            services, CLINIC_SYSTEM, SHE, BUNDLE_SYSTEM, value, DocumentKind.CONDITIONS, "mistake"
        )
        catch_up(connection)
        assert (await planned(services, end - SECOND)).found == []

        await erased(services, end + timedelta(minutes=5))

        assert opened_payloads(connection) == {}
        the_same_from_zero(connection)

    run(story)
