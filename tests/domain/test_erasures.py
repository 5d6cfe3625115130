"""Given what a patient's record holds, when something of it is to be erased or held, then this is decided."""

from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from examples import CLINIC, EVENT, NOON, PATIENT, STRANGER, granted
from tsuzuri.domain import consents
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.corrections import cancel
from tsuzuri.domain.erasures import (
    ErasureHeld,
    NothingToErase,
    NothingToLift,
    erase_document,
    erase_stream,
    lift_hold,
    place_hold,
)
from tsuzuri.domain.events import (
    BundleRegistered,
    BundleReplaced,
    Erased,
    Event,
    HoldLifted,
    HoldPlaced,
    PayloadErased,
    StreamErased,
    Unit,
    originator,
)
from tsuzuri.domain.registrations import PatientRecord, RecordEvent, evolve
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Stream

DOCUMENT, OTHER, HOLD, OTHER_HOLD = (UUID(int=number) for number in (100, 200, 300, 400))


def version(number: int) -> dict[str, Any]:
    """One version of a document: received bytes, head and unit are payloads of its own."""
    unit = Unit(record_class=RecordClass.CONDITION, payload=UUID(int=10 * number + 3), sha256="", entries=1)
    return {
        "originator_id": originator(PATIENT, Stream.RECORD),
        "originator_version": number,
        "event_id": UUID(int=number),
        "patient": PATIENT,
        "document": DOCUMENT,
        "kind": DocumentKind.REFERRAL,
        "facility": CLINIC,
        "system": "urn:letters",
        "value": "1",
        "timestamp": NOON,
        "received": UUID(int=10 * number + 1),
        "received_sha256": str(number),
        "received_bytes": 7,
        "head": UUID(int=10 * number + 2),
        "units": (unit,),
        "sender": "clinic-system",
    }


FIRST = BundleRegistered(**version(1))
SECOND = BundleReplaced(**version(2), replaces=FIRST.event_id)
ELSEWHERE = BundleRegistered(**version(3) | {"document": OTHER})
BODIES, UNITS = (UUID(int=11), UUID(int=12), UUID(int=21), UUID(int=22)), (UUID(int=13), UUID(int=23))


def after(*events: RecordEvent) -> PatientRecord:
    return reduce(evolve, events, PatientRecord(PATIENT))


def erased(record: PatientRecord, document: UUID = DOCUMENT, *, units: bool = False) -> PayloadErased:
    return erase_document(
        record, document, units=units, reason="asked for", erased_by="operator-ono", event_id=EVENT
    )


def all_erased(record: PatientRecord, stream: Stream = Stream.RECORD) -> StreamErased:
    return erase_stream(record, stream, reason="asked for", erased_by="operator-ono", event_id=EVENT)


def unreadable(event: Event) -> Erased:
    """As a reader meets an event whose key was destroyed."""
    return Erased(
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        event_id=event.event_id,
        topic=event.TOPIC,
    )


def held(record: PatientRecord, hold: UUID = HOLD) -> HoldPlaced:
    return place_hold(record, reason="a dispute", placed_by="auditor-abe", event_id=hold)


def lifted(record: PatientRecord, hold: UUID = HOLD) -> HoldLifted:
    return lift_hold(record, hold, reason="settled", lifted_by="auditor-abe", event_id=EVENT)


def under_a_hold(record: PatientRecord) -> PatientRecord:
    return evolve(record, held(record))


# --- a document


def test_the_bytes_and_heads_of_all_versions_are_erased_and_the_units_live_on() -> None:
    event = erased(after(FIRST, SECOND, ELSEWHERE))

    assert (event.originator_id, event.originator_version) == (f"{PATIENT}/record", 4)
    assert (event.event_id, event.patient, event.document) == (EVENT, PATIENT, DOCUMENT)
    assert (event.reason, event.erased_by) == ("asked for", "operator-ono")
    assert event.payloads == BODIES


def test_with_its_units_nothing_of_any_version_is_left() -> None:
    assert erased(after(FIRST, SECOND), units=True).payloads == (*BODIES, *UNITS)


def test_the_units_may_follow_later() -> None:
    record = after(FIRST, SECOND)

    record = evolve(record, erased(record))

    assert erased(record, units=True).payloads == UNITS


def test_a_cancelled_document_may_be_erased_and_stays_cancelled() -> None:
    taken_back = cancel(
        after(FIRST), DOCUMENT, facility=CLINIC, reason="", sender="clinic-system", event_id=UUID(int=2)
    )
    assert taken_back is not None
    record = after(FIRST, taken_back)

    assert evolve(record, erased(record, units=True)).documents[DOCUMENT].cancelled


def test_a_version_that_came_after_the_erasure_can_be_erased_too() -> None:
    record = after(FIRST)
    record = evolve(record, erased(record, units=True))
    record = evolve(record, BundleReplaced(**version(3), replaces=FIRST.event_id))

    assert erased(record).payloads == (UUID(int=31), UUID(int=32))


@pytest.mark.parametrize(("units", "again"), [(False, False), (True, False), (True, True)])
def test_what_was_erased_already_is_not_erased_again(units: bool, again: bool) -> None:
    record = after(FIRST)
    record = evolve(record, erased(record, units=units))

    with pytest.raises(NothingToErase):
        erased(record, units=again)


def test_a_document_that_is_not_hers_is_answered_like_one_that_was_erased() -> None:
    record = after(FIRST)
    gone = evolve(record, erased(record))

    with pytest.raises(NothingToErase) as unknown:
        erased(record, STRANGER)
    with pytest.raises(NothingToErase) as already:
        erased(gone)

    assert str(unknown.value) == str(already.value)


def test_an_erasure_takes_nothing_from_what_is_known_of_the_bytes() -> None:
    """A delayed copy of an erased document must not bring it back."""
    record = after(FIRST, SECOND, ELSEWHERE)

    later = evolve(record, erased(record, units=True))

    known, before = later.documents[DOCUMENT], record.documents[DOCUMENT]
    assert (known.accepted.received_sha256, known.superseded) == (
        before.accepted.received_sha256,
        before.superseded,
    )
    assert (known.bodies, known.units) == ((), ())
    assert later.documents[OTHER] == record.documents[OTHER]
    assert later.version == 4


# --- a stream


@pytest.mark.parametrize("stream", Stream)
def test_whatever_stream_is_erased_the_record_says_so(stream: Stream) -> None:
    event = all_erased(after(FIRST), stream)

    assert (event.originator_id, event.originator_version) == (f"{PATIENT}/record", 2)
    assert event.ERASES is stream
    assert (event.reason, event.erased_by, event.event_id) == ("asked for", "operator-ono", EVENT)


def test_of_an_erased_record_only_its_length_is_known_and_it_goes_on() -> None:
    record = after(unreadable(FIRST), unreadable(SECOND), all_erased(after(FIRST, SECOND)))

    assert record == PatientRecord(PATIENT, version=3)
    assert evolve(record, BundleRegistered(**version(4))).documents.keys() == {DOCUMENT}


def test_of_erased_consents_only_their_number_is_known() -> None:
    assert consents.evolve(Consents(PATIENT), unreadable(granted())) == Consents(PATIENT, version=1)


# --- holds


def test_nothing_is_erased_while_a_hold_stands() -> None:
    record = under_a_hold(after(FIRST))

    with pytest.raises(ErasureHeld):
        erased(record)
    for stream in Stream:
        with pytest.raises(ErasureHeld):
            all_erased(record, stream)


def test_a_hold_is_named_by_its_event_and_says_who_placed_it_and_why() -> None:
    event = held(after(FIRST))

    assert (event.event_id, event.originator_version, event.patient) == (HOLD, 2, PATIENT)
    assert (event.placed_by, event.reason) == ("auditor-abe", "a dispute")
    assert evolve(after(FIRST), event).holds == {HOLD}


def test_a_lifted_hold_blocks_nothing_any_more_and_is_lifted_once() -> None:
    record = under_a_hold(after(FIRST))

    event = lifted(record)
    freed = evolve(record, event)

    assert (event.hold, event.lifted_by, event.reason) == (HOLD, "auditor-abe", "settled")
    assert freed.holds == frozenset()
    assert erased(freed).payloads == BODIES[:2]
    with pytest.raises(NothingToLift):
        lifted(freed)


def test_of_two_holds_one_still_stands_when_the_other_is_lifted() -> None:
    record = under_a_hold(after(FIRST))
    record = evolve(record, held(record, OTHER_HOLD))

    record = evolve(record, lifted(record))

    with pytest.raises(ErasureHeld, match="1 holds"):
        erased(record)
    assert all_erased(evolve(record, lifted(record, OTHER_HOLD))).ERASES is Stream.RECORD


def test_a_hold_that_does_not_stand_cannot_be_lifted() -> None:
    with pytest.raises(NothingToLift):
        lifted(under_a_hold(after(FIRST)), OTHER_HOLD)
