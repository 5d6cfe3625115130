"""What an event puts into the operators' queue, and what takes it out."""

from typing import Any
from uuid import UUID

import pytest

from examples import CLINIC, EVENT, PATIENT
from tsuzuri.domain.events import Identifier, PatientIdentified, UnmatchedIdentity, originator
from tsuzuri.domain.record import Demographics
from tsuzuri.domain.registrations import PatientRecord, evolve, identify
from tsuzuri.domain.settlements import NothingToSettle, settle
from tsuzuri.domain.unmatched import queued
from tsuzuri.domain.vocabulary import Stream, UnmatchedReason

NUMBER = Identifier(system="urn:insured", value="00012345:1:2:01")
LOCAL = Identifier(system="urn:local", value="P-1")
HANAKO = Demographics(name="試験 花子", birth_date="1970-01-02")
DOUBT = UnmatchedIdentity(reason=UnmatchedReason.NUMBER_OF_ANOTHER, number=LOCAL)
SAID: dict[str, Any] = {"facility": CLINIC, "identifiers": (NUMBER,), "disputed": (LOCAL,)}


def identified(*unmatched: UnmatchedIdentity, event_id: UUID = EVENT) -> PatientIdentified:
    return PatientIdentified(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=1,
        event_id=event_id,
        patient=PATIENT,
        demographics=HANAKO,
        unmatched=unmatched,
        **SAID,
    )


def test_a_dispute_from_before_there_was_a_queue_stands_in_it_once() -> None:
    before, again = identified(), identified(event_id=UUID(int=7))

    record = evolve(evolve(PatientRecord(PATIENT), before), again)

    assert [one.reason for one in queued(before, ()).values()] == [UnmatchedReason.NUMBER_OF_ANOTHER]
    assert record.unsettled == queued(before, ()).keys()


def test_a_dispute_that_was_said_with_its_reason_is_not_counted_twice() -> None:
    assert list(queued(identified(DOUBT), ()).values()) == [DOUBT]


def test_the_same_doubt_is_no_news_and_another_birth_date_is() -> None:
    record = evolve(PatientRecord(PATIENT), identified(DOUBT))

    def told(demographics: Demographics) -> PatientIdentified | None:
        return identify(record, event_id=UUID(int=8), demographics=demographics, unmatched=(DOUBT,), **SAID)

    other = told(Demographics(name="試験 花子", birth_date="1971-01-02"))
    assert told(HANAKO) is None
    assert other is not None and other.unmatched == (DOUBT,)


def test_what_is_settled_waits_no_more() -> None:
    record = evolve(PatientRecord(PATIENT), identified(DOUBT))
    (identity,) = record.unsettled

    settled = settle(record, identity, reason="施設に確認", settled_by="ono", event_id=UUID(int=9))
    after = evolve(record, settled)

    assert after.unsettled == frozenset()
    with pytest.raises(NothingToSettle):
        settle(after, identity, reason="施設に確認", settled_by="ono", event_id=UUID(int=10))
