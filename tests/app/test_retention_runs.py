"""Given what is past its time, when it is planned, run, broken off and run again, then each of it is erased once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import AUDITOR, CLINIC, CLINIC_SYSTEM, DOCTOR, OPERATOR, a_bundle
from fhir_examples import a_resource
from log_examples import Run, everything, interrupted, opened_payloads
from projection_examples import catch_up
from retention_examples import (
    CENTURIES,
    diagnoses,
    erased,
    planned,
    report,
    result,
    summary,
    the_same_from_zero,
)
from tsuzuri.app.actions import erase_expired
from tsuzuri.app.actions.erase import lift_hold, place_hold
from tsuzuri.app.actions.erase_expired import (
    Account,
    ClockAhead,
    moment_to_erase_by,
    plan_retention,
    run_retention,
)
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.expiry import Expired
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.eventlog.appending import LogUnavailable

# --- the plan


async def a_life(services: Services) -> list[RegisteredBundle]:
    """Four Bundles of one patient and one of another; all go in the end but the last three results."""
    another = a_bundle(number="00054321:い:9:01", facility=CLINIC).replace(b'"P-1"', b'"P-2"')
    return [
        await diagnoses(services),
        await summary(services, a_resource("Condition", code={"text": "狭心症"}), code="57133-1"),
        await report(services, *(result(f"2026-0{month}-10", 6.0) for month in (2, 3, 4)), local_id="last"),
        await report(services, result("2024-01-10", 6.0), local_id="old"),
        await register_bundle(services, CLINIC_SYSTEM, another),
    ]


def test_the_plan_lists_exactly_what_a_run_then_erases_and_changes_nothing(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await a_life(services)
        catch_up(connection)
        before, payloads = everything(connection), opened_payloads(connection)

        plan = await planned(services, CENTURIES)
        assert everything(connection) == before
        ran = await erased(services, CENTURIES)

        assert (plan.found, plan.account) == (ran.found, ran.account)
        assert (plan.account.bundles, plan.account.patients) == (4, 2)
        gone = {payload for _, one in ran.found for payload in one.payloads}
        assert payloads.keys() - opened_payloads(connection).keys() == gone
        assert len(opened_payloads(connection)) == 3
        the_same_from_zero(connection)

    run(story)


def test_a_run_stops_at_its_limit_says_so_and_the_next_goes_on(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await a_life(services)
        catch_up(connection)
        all_of_it = (await planned(services, CENTURIES)).found

        runs = []
        for _ in range(4):
            runs.append(await erased(services, CENTURIES, limit=1))
            catch_up(connection)

        assert [one for told in runs for one in told.found] == all_of_it
        assert [told.account.more for told in runs] == [True, True, True, False]

    run(story)


def test_patients_are_gone_through_page_by_page(
    run: Run, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase_expired, "_PAGE_PATIENTS", 1)

    async def story(services: Services) -> None:
        await a_life(services)
        catch_up(connection)

        assert (await planned(services, CENTURIES)).account.patients == 2

    run(story)


# --- who, and what stands against it


@pytest.mark.parametrize("caller", [DOCTOR, CLINIC_SYSTEM, AUDITOR], ids=lambda caller: caller.role)
def test_only_an_operator_may(run: Run, caller: Caller) -> None:
    async def story(services: Services) -> None:
        for action in (plan_retention, run_retention):
            with pytest.raises(NotPermitted):
                await action(services, caller, CENTURIES, limit=1, tell=lambda *_: None)

    run(story)


def test_a_hold_keeps_everything_until_it_is_lifted(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        told = await diagnoses(services)
        hold = await place_hold(services, AUDITOR, told.patient, reason="a dispute")
        catch_up(connection)
        before = everything(connection)
        for action in (planned, erased):
            passed_over = await action(services, CENTURIES)
            assert (passed_over.found, passed_over.account.held) == ([], 1)
        assert everything(connection) == before

        await lift_hold(services, AUDITOR, told.patient, hold, reason="settled")
        catch_up(connection)

        assert (await erased(services, CENTURIES)).account == Account(
            bundles=1, patients=1, classes=Counter([RecordClass.CONDITION])
        )

    run(story)


Meanwhile = Callable[[Services, UUID], Awaitable[Any]]


@pytest.mark.parametrize(
    ("happens", "held"),
    [
        (lambda services, patient: place_hold(services, AUDITOR, patient, reason=""), 1),
        (lambda services, _: diagnoses(services, local_id="more"), 0),
    ],
    ids=["a hold", "a Bundle"],
)
def test_what_happens_between_decision_and_erasure_counts(
    run: Run, connection: Connection[Any], happens: Meanwhile, held: int
) -> None:
    async def story(services: Services) -> None:
        told = await diagnoses(services)
        catch_up(connection)
        payloads = opened_payloads(connection).keys()

        account = (
            await erased(
                interrupted(services, lambda: run(lambda other: happens(other, told.patient))), CENTURIES
            )
        ).account

        assert (account.bundles, account.held, account.behind) == (0, held, 1 - held)
        assert payloads <= opened_payloads(connection).keys()

    run(story)


def test_a_patient_of_whom_the_index_lacks_something_is_passed_over_until_it_has_it(
    run: Run, connection: Connection[Any]
) -> None:
    """What it lacks may be why she is still seen: a newer mark, a restored Bundle."""

    async def story(services: Services) -> None:
        await diagnoses(services)
        catch_up(connection)
        await diagnoses(services, local_id="more", timestamp="2026-11-21T10:00:00+09:00")
        for action in (planned, erased):
            passed_over = await action(services, CENTURIES)
            assert (passed_over.found, passed_over.account.behind) == ([], 1)

        catch_up(connection)

        assert (await erased(services, CENTURIES)).account.bundles == 2

    run(story)


def test_a_patient_whose_events_were_tampered_with_keeps_nobody_else_waiting(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        her, *_, other = await a_life(services)
        catch_up(connection)
        connection.execute("UPDATE event SET state = 'changed' WHERE patient_id = %s", (her.patient,))

        for action in (planned, erased):
            told = await action(services, CENTURIES)

            assert (told.documents, told.account.unreadable) == ([other.document], 1)

    run(story)


# --- broken off, repeated, two at once


def test_a_run_that_was_broken_off_is_gone_on_with_and_a_third_finds_nothing(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await a_life(services)
        catch_up(connection)
        plan = (await planned(services, CENTURIES)).found
        first: list[tuple[UUID, Expired]] = []

        def broken(patient: UUID, one: Expired) -> None:
            first.append((patient, one))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await run_retention(services, OPERATOR, CENTURIES, limit=100, tell=broken)
        assert len(opened_payloads(connection)) > 3
        catch_up(connection)

        again = await erased(services, CENTURIES)

        assert first + again.found == plan
        catch_up(connection)
        before = everything(connection)
        assert (await erased(services, CENTURIES)).found == []
        assert everything(connection) == before
        the_same_from_zero(connection)

    run(story)


def test_two_runs_at_once_erase_each_bundle_once(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await a_life(services)
        catch_up(connection)
        plan = (await planned(services, CENTURIES)).documents

        both = await asyncio.gather(erased(services, CENTURIES), erased(services, CENTURIES))

        catch_up(connection)
        rest = await erased(services, CENTURIES)
        done = [document for told in (*both, rest) for document in told.documents]
        assert sorted(done) == sorted(plan)
        said = connection.execute("SELECT count(*) FROM event WHERE topic = 'payload-erased'").fetchone()
        assert said == (len(plan),)
        the_same_from_zero(connection)

    run(story)


def test_when_the_log_cannot_be_written_nothing_is_said_to_be_erased(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await diagnoses(services)
        catch_up(connection)
        connection.execute("REVOKE EXECUTE ON FUNCTION destroy_keys FROM tsuzuri_keeper")
        said: list[Any] = []

        with pytest.raises(LogUnavailable):
            await run_retention(services, OPERATOR, CENTURIES, limit=9, tell=lambda *one: said.append(one))

        assert said == []
        assert len(opened_payloads(connection)) == 3

    run(story)


# --- the clock


def test_a_clock_that_is_ahead_of_the_databases_erases_nothing(run: Run) -> None:
    async def story(services: Services) -> None:
        now = await moment_to_erase_by(services)
        assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)

        ahead = Services(**vars(services) | {"now": lambda: datetime.now(UTC) + timedelta(minutes=2)})
        with pytest.raises(ClockAhead):
            await moment_to_erase_by(ahead)

    run(story)
