"""Given a patient's record and what the index has of it, at a moment, then this is past its time and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from examples import CLINIC, EVENT, NOON, PATIENT
from tsuzuri.domain.erasures import ErasureHeld, erase_document, erase_expired, place_hold
from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    Unit,
    originator,
)
from tsuzuri.domain.expiry import Expired, Indexed, expired
from tsuzuri.domain.registrations import PatientRecord, RecordEvent, evolve
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Stream

DOCUMENT = UUID(int=100)
SECOND = timedelta(seconds=1)
A_YEAR, FIVE_YEARS = datetime(2027, 11, 22, 3, tzinfo=UTC), datetime(2031, 11, 22, 3, tzinfo=UTC)
"""From noon on."""
HALF_A_YEAR = datetime(2027, 5, 22, 3, tzinfo=UTC)
LATER = NOON + timedelta(days=30)
CENTURIES = datetime(2500, 1, 1, tzinfo=UTC)
CONDITION, LAB, INFECTION = RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.INFECTION


def received(number: int) -> UUID:
    """The payload of a version's bytes; its head is the next one."""
    return UUID(int=10 * number + 1)


def bodies(number: int) -> set[UUID]:
    return {received(number), UUID(int=10 * number + 2)}


def unit(number: int, place: int = 0) -> UUID:
    return UUID(int=10 * number + 3 + place)


def version(number: int, kind: DocumentKind, classes: Sequence[RecordClass]) -> dict[str, Any]:
    units = tuple(
        Unit(record_class=one, payload=unit(number, place), sha256="", entries=2)
        for place, one in enumerate(classes)
    )
    return {
        "originator_id": originator(PATIENT, Stream.RECORD),
        "originator_version": number,
        "event_id": UUID(int=number),
        "patient": PATIENT,
        "document": DOCUMENT,
        "kind": kind,
        "facility": CLINIC,
        "system": "urn:letters",
        "value": "1",
        "timestamp": NOON,
        "received": received(number),
        "received_sha256": str(number),
        "received_bytes": 7,
        "head": UUID(int=10 * number + 2),
        "units": units,
        "sender": "clinic-system",
    }


def registered(kind: DocumentKind, *classes: RecordClass) -> BundleRegistered:
    return BundleRegistered(**version(1, kind, classes))


def replaced(kind: DocumentKind, *classes: RecordClass) -> BundleReplaced:
    return BundleReplaced(**version(2, kind, classes), replaces=UUID(int=1))


def cancelled(of: BundleAccepted) -> BundleCancelled:
    return BundleCancelled(
        originator_id=of.originator_id,
        originator_version=of.originator_version + 1,
        event_id=EVENT,
        patient=PATIENT,
        document=DOCUMENT,
        facility=CLINIC,
        cancels=of.event_id,
        reason="",
        sender="clinic-system",
    )


def after(*events: RecordEvent) -> PatientRecord:
    return reduce(evolve, events, PatientRecord(PATIENT))


def seen(until: datetime | None, *, entries: int = 2, since: datetime = NOON) -> Indexed:
    return Indexed(entries=entries, registered_at=since, seen_until=until)


def bytes_seen(until: datetime | None, since: datetime = NOON) -> Indexed:
    return seen(until, entries=0, since=since)


def gone(record: PatientRecord, indexed: Mapping[UUID, Indexed], at: datetime) -> set[UUID]:
    found = expired(record, indexed, at)
    return {payload for one in found for payload in one.payloads}


# --- collections


def test_a_collection_goes_whole_at_the_moment_at_which_nothing_of_it_is_seen_any_more() -> None:
    record = after(registered(DocumentKind.CONDITIONS, CONDITION))
    indexed = {received(1): bytes_seen(None), unit(1): seen(FIVE_YEARS)}

    assert expired(record, indexed, FIVE_YEARS - SECOND) == ()
    assert expired(record, indexed, FIVE_YEARS) == (
        Expired(
            document=DOCUMENT,
            kind=DocumentKind.CONDITIONS,
            classes=(CONDITION,),
            payloads=(received(1), UUID(int=12), unit(1)),
            since=FIVE_YEARS,
        ),
    )


def test_what_has_no_end_is_never_past_its_time() -> None:
    """Marked for long keeping (長期保存), or one of the last three."""
    record = after(registered(DocumentKind.CONDITIONS, CONDITION))

    assert gone(record, {received(1): bytes_seen(None), unit(1): seen(None)}, CENTURIES) == set()


def test_of_a_collection_nothing_goes_while_a_part_of_it_is_seen() -> None:
    """The bytes hold what the unit holds: one without the other would be no erasure."""
    record = after(registered(DocumentKind.OBSERVATIONS, LAB, INFECTION))
    indexed = {received(1): bytes_seen(None), unit(1, 0): seen(A_YEAR), unit(1, 1): seen(FIVE_YEARS)}

    assert gone(record, indexed, FIVE_YEARS - SECOND) == set()
    assert gone(record, indexed, FIVE_YEARS) == bodies(1) | {unit(1, 0), unit(1, 1)}


def test_of_a_collection_whose_bytes_were_erased_each_unit_goes_by_itself() -> None:
    record = after(registered(DocumentKind.OBSERVATIONS, LAB, INFECTION))
    event = erase_document(record, DOCUMENT, units=False, reason="", erased_by="", event_id=EVENT)
    indexed = {unit(1, 0): seen(A_YEAR), unit(1, 1): seen(FIVE_YEARS)}

    assert gone(evolve(record, event), indexed, A_YEAR) == {unit(1, 0)}


def test_a_set_that_names_nothing_is_kept_as_long_as_one_that_names_something() -> None:
    record = after(registered(DocumentKind.CONDITIONS))
    indexed = {received(1): bytes_seen(NOON)}

    assert gone(record, indexed, FIVE_YEARS - SECOND) == set()
    (one,) = expired(record, indexed, FIVE_YEARS)
    assert (set(one.payloads), one.classes) == (bodies(1), (CONDITION,))


@pytest.mark.parametrize("indexed", [{}, {unit(1): seen(NOON, entries=1)}], ids=["nothing", "a part"])
def test_what_the_index_does_not_have_whole_is_kept(indexed: dict[UUID, Indexed]) -> None:
    """An operator may have left an event out of it for ever."""
    record = after(registered(DocumentKind.CONDITIONS, CONDITION))

    assert gone(record, {received(1): bytes_seen(None), **indexed}, CENTURIES) == set()


# --- documents


def test_a_document_goes_at_its_end_and_what_was_taken_out_of_it_lives_on() -> None:
    record = after(registered(DocumentKind.REFERRAL, CONDITION))
    indexed = {received(1): bytes_seen(HALF_A_YEAR), unit(1): seen(FIVE_YEARS)}

    assert gone(record, indexed, HALF_A_YEAR - SECOND) == set()
    (one,) = expired(record, indexed, HALF_A_YEAR)
    assert (set(one.payloads), one.classes) == (bodies(1), (RecordClass.REFERRAL,))

    record = evolve(record, erase_expired(record, one, erased_by="service", event_id=EVENT))
    assert gone(record, indexed, FIVE_YEARS - SECOND) == set()
    assert gone(record, indexed, FIVE_YEARS) == {unit(1)}


def test_what_was_taken_out_of_a_document_does_not_go_before_it() -> None:
    """Who may see all entries that the index has of a document reads its sender's words: none may be missing."""
    record = after(registered(DocumentKind.DISCHARGE_SUMMARY, LAB))
    indexed = {received(1): bytes_seen(FIVE_YEARS), unit(1): seen(A_YEAR)}

    assert gone(record, indexed, FIVE_YEARS - SECOND) == set()
    assert gone(record, indexed, FIVE_YEARS) == bodies(1) | {unit(1)}


def test_with_the_version_in_force_go_those_it_replaced() -> None:
    """A referral that was received ends early, and with it what it said before."""
    record = after(registered(DocumentKind.REFERRAL), replaced(DocumentKind.REFERRAL))
    early = LATER + timedelta(days=7)
    indexed = {received(1): bytes_seen(early), received(2): bytes_seen(early, since=LATER)}

    assert gone(record, indexed, early - SECOND) == set()
    assert gone(record, indexed, early) == bodies(1) | bodies(2)


# --- versions that are not in force


def test_a_version_that_was_replaced_is_kept_for_its_period_from_its_own_registration() -> None:
    """Its results are old already: they are seen no more since long before they were registered."""
    record = after(registered(DocumentKind.OBSERVATIONS, LAB), replaced(DocumentKind.OBSERVATIONS, LAB))
    indexed = {
        received(1): bytes_seen(None),
        unit(1): seen(NOON - timedelta(days=900)),
        received(2): bytes_seen(None, since=LATER),
        unit(2): seen(None, since=LATER),
    }

    assert gone(record, indexed, A_YEAR - SECOND) == set()
    assert gone(record, indexed, A_YEAR) == bodies(1) | {unit(1)}


def test_a_version_that_was_replaced_is_kept_no_longer_than_the_one_in_force() -> None:
    record = after(registered(DocumentKind.OBSERVATIONS, LAB), replaced(DocumentKind.OBSERVATIONS, LAB))
    old = NOON - timedelta(days=900)
    indexed = {
        received(1): bytes_seen(None),
        unit(1): seen(old),
        received(2): bytes_seen(None),
        unit(2): seen(old),
    }

    assert gone(record, indexed, LATER) == {*bodies(1), *bodies(2), unit(1), unit(2)}


def test_a_version_that_was_replaced_and_is_still_seen_at_an_earlier_moment_is_kept() -> None:
    record = after(registered(DocumentKind.CONDITIONS, CONDITION), replaced(DocumentKind.CONDITIONS))
    indexed = {received(1): bytes_seen(None), unit(1): seen(None), received(2): bytes_seen(NOON, since=LATER)}

    assert gone(record, indexed, CENTURIES) == bodies(2)


def test_what_was_cancelled_is_kept_for_its_period_from_its_registration_and_then_goes_whatever_its_marks() -> (
    None
):
    first = registered(DocumentKind.CONDITIONS, CONDITION)
    record = after(first, cancelled(first))
    indexed = {received(1): bytes_seen(NOON), unit(1): seen(NOON)}

    assert gone(record, indexed, FIVE_YEARS - SECOND) == set()
    assert gone(record, indexed, FIVE_YEARS) == bodies(1) | {unit(1)}


# --- the event


def test_the_erasure_says_what_went_and_why_and_by_whom() -> None:
    record = after(registered(DocumentKind.OBSERVATIONS, INFECTION, LAB))
    indexed = {received(1): bytes_seen(None), unit(1, 0): seen(FIVE_YEARS), unit(1, 1): seen(A_YEAR)}
    (one,) = expired(record, indexed, CENTURIES)

    event = erase_expired(record, one, erased_by="service:retention", event_id=EVENT)

    assert (event.originator_version, event.document, event.payloads) == (2, DOCUMENT, one.payloads)
    assert event.reason == "retention: INFECTION, LAB_RESULT past 2031-11-22T03:00:00Z"
    assert (event.erased_by, event.touches) == ("service:retention", (INFECTION, LAB))
    assert expired(evolve(record, event), indexed, CENTURIES) == ()


def test_while_a_hold_stands_nothing_is_erased_however_old() -> None:
    record = after(registered(DocumentKind.CONDITIONS, CONDITION))
    (one,) = expired(record, {received(1): bytes_seen(None), unit(1): seen(NOON)}, CENTURIES)
    held = evolve(record, place_hold(record, reason="a dispute", placed_by="auditor-abe", event_id=EVENT))

    with pytest.raises(ErasureHeld):
        erase_expired(held, one, erased_by="service:retention", event_id=EVENT)


def test_each_bundle_is_decided_on_by_itself() -> None:
    other = replace(
        registered(DocumentKind.CONDITIONS, CONDITION), document=UUID(int=200), originator_version=2
    )
    other = replace(
        other, received=received(5), head=UUID(int=52), units=version(5, other.kind, [CONDITION])["units"]
    )
    record = after(registered(DocumentKind.CONDITIONS, CONDITION), other)
    indexed = {
        received(1): bytes_seen(None),
        unit(1): seen(FIVE_YEARS),
        received(5): bytes_seen(None),
        unit(5): seen(FIVE_YEARS + SECOND),
    }

    assert [one.document for one in expired(record, indexed, FIVE_YEARS)] == [DOCUMENT]
    assert len(expired(record, indexed, FIVE_YEARS + SECOND)) == 2
