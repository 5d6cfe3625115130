"""Given that something is decided, when it is erased before that is saved, then nothing of it comes back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import (
    CLINIC,
    CLINIC_SYSTEM,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    NUMBER,
    OPERATOR,
    a_bundle,
)
from log_examples import Run, interrupted, opened_events, opened_payloads, trail_read
from projection_examples import BUNDLE_SYSTEM, bundle_value
from tsuzuri.app.actions.correct_bundle import cancel_bundle
from tsuzuri.app.actions.erase import erase_document, erase_stream
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.load_streams import load_consents, load_record
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.register_bundles import register_bundles
from tsuzuri.app.actions.withdraw_consent import withdraw_consent
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import Consents, NothingToWithdraw
from tsuzuri.domain.corrections import NothingToCancel
from tsuzuri.domain.erasures import NothingToErase
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import DocumentKind, PurposeOfUse, RecordClass, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.mapper import ErasedEvent

SHE = InsuredPersonNumber.parse(NUMBER)
ALL = [RecordClass.CONDITION]
LATER = "2026-11-21T10:00:00+09:00"
Erase = Callable[[UUID, Stream], Callable[[], Any]]


@pytest.fixture
def erasing(run: Run) -> Erase:
    """An operator in another process, who erases a stream when told to."""
    return lambda patient, stream: (
        lambda: run(lambda other: erase_stream(other, OPERATOR, patient, stream, reason="asked for"))
    )


async def granted(services: Services, system: Caller) -> None:
    """A consent, given at the card reader of a facility to itself."""
    assert system.facility is not None
    await grant_consent(services, system, SHE, system.facility, ALL, PurposeOfUse.TREAT, None)


async def consents(services: Services, patient: UUID) -> Consents:
    """As decisions read them, which is as they are folded."""
    held = consent_state.load(patient, (await services.log.head(patient)).consents)
    folded = await load_consents(services, patient)
    assert held.grants == folded.grants
    return held


async def registered(services: Services, **changes: Any) -> RegisteredBundle:
    return await register_bundle(services, CLINIC_SYSTEM, a_bundle(**changes))


# --- consents


@pytest.mark.parametrize("fresh", [False, True], ids=["a process that holds the key", "a fresh process"])
def test_a_consent_that_was_decided_before_the_erasure_brings_back_none_that_was_erased(
    run: Run, erasing: Erase, fresh: bool
) -> None:
    async def story(services: Services) -> None:
        patient = (await registered(services)).patient
        await granted(services, HOSPITAL_SYSTEM)

        def grant_late(opened: Services) -> Awaitable[None]:
            return granted(interrupted(opened, erasing(patient, Stream.CONSENT)), CLINIC_SYSTEM)

        await (asyncio.to_thread(run, grant_late) if fresh else grant_late(services))

        assert [grant.facility for grant in (await consents(services, patient)).grants] == [CLINIC]

    run(story)


def test_of_two_consents_and_one_withdrawn_after_all_were_erased_none_is_left(
    run: Run, erasing: Erase
) -> None:
    async def story(services: Services) -> None:
        patient = (await registered(services)).patient
        await granted(services, HOSPITAL_SYSTEM)
        await granted(services, CLINIC_SYSTEM)
        late = interrupted(services, erasing(patient, Stream.CONSENT))

        with pytest.raises(NothingToWithdraw):
            await withdraw_consent(late, HOSPITAL_SYSTEM, SHE, HOSPITAL, [])

        assert (await consents(services, patient)).grants == ()

    run(story)


# --- Bundles


def test_a_bundle_that_was_decided_before_the_erasure_is_decided_anew(
    run: Run, erasing: Erase, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        first = await registered(services)
        late = interrupted(services, erasing(first.patient, Stream.RECORD))

        told = await registered(late, timestamp=LATER)

        assert (told.outcome, told.patient) == ("REGISTERED", first.patient)
        await only_the_later_is_left(services, told, connection)

    run(story)


def test_bundles_of_a_batch_that_were_decided_before_the_erasure_are_decided_anew(
    run: Run, erasing: Erase, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        first = await registered(services)
        late = interrupted(services, erasing(first.patient, Stream.RECORD))

        bodies = [a_bundle(timestamp=LATER), a_bundle(timestamp=LATER)]
        told, again = await register_bundles(late, CLINIC_SYSTEM, bodies)

        assert isinstance(told, RegisteredBundle) and isinstance(again, RegisteredBundle)
        assert (told.outcome, again.outcome) == ("REGISTERED", "UNCHANGED")
        await only_the_later_is_left(services, told, connection)

    run(story)


async def only_the_later_is_left(
    services: Services, told: RegisteredBundle, connection: Connection[Any]
) -> None:
    """The record begins anew with it, and what it says of the patient is all that is known of her."""
    record = await load_record(services, told.patient)
    assert record.documents.keys() == {told.document}
    assert record.identifiers and record.demographics is not None
    (document,) = record.documents.values()
    assert opened_payloads(connection).keys() == {*document.bodies, *document.units}
    topics = [event.topic for event in opened_events(connection) if not isinstance(event, ErasedEvent)]
    assert topics == ["record-erased", "patient-identified", "bundle-registered"]


def test_a_cancellation_that_was_decided_before_the_erasure_finds_nothing_to_cancel(
    run: Run, erasing: Erase
) -> None:
    async def story(services: Services) -> None:
        told = await registered(services)
        late = interrupted(services, erasing(told.patient, Stream.RECORD))

        with pytest.raises(NothingToCancel):
            kind, value = DocumentKind.CONDITIONS, bundle_value("set-1")
            await cancel_bundle(late, CLINIC_SYSTEM, SHE, BUNDLE_SYSTEM, value, kind, "")

    run(story)


# --- erasures


def test_a_version_that_comes_in_while_the_document_is_erased_is_erased_with_it(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        told = await registered(services)
        late = interrupted(services, lambda: run(lambda other: registered(other, timestamp=LATER)))

        await erase_document(late, OPERATOR, told.patient, told.document, units=True, reason="asked for")

        assert opened_payloads(connection) == {}

    run(story)


def test_of_two_who_erase_one_document_at_once_one_finds_nothing_left(run: Run) -> None:
    async def story(services: Services) -> None:
        told = await registered(services)

        async def erase() -> bool:
            try:
                await erase_document(services, OPERATOR, told.patient, told.document, units=True, reason="")
            except NothingToErase:
                return False
            return True

        assert sorted(await asyncio.gather(erase(), erase(), erase())) == [False, False, True]

    run(story)


def test_accesses_are_recorded_on_while_her_accesses_are_erased_elsewhere(
    run: Run, erasing: Erase, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        patient = (await registered(services)).patient

        async def look() -> UUID:
            event = trail_read(patient)
            await services.log.append_access([event], Beside())
            return event.event_id

        before = [await look() for _ in range(3)]
        erasure = asyncio.create_task(asyncio.to_thread(erasing(patient, Stream.ACCESS)))
        meanwhile = []
        while not erasure.done():
            meanwhile.append(await look())
        after = [await look() for _ in range(3)]
        await erasure

        readable = {e.event_id for e in opened_events(connection) if not isinstance(e, ErasedEvent)}
        assert {*after} <= readable and not readable & {*before}
        assert {e.event_id for e in opened_events(connection)} >= {*before, *meanwhile, *after}

    run(story)
