"""Given what facilities have registered for a patient, when a Bundle comes in, then this becomes of it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from examples import CLINIC, EVENT, HOSPITAL, NOON, PATIENT, STRANGER
from tsuzuri.domain.corrections import NothingToCancel, cancel
from tsuzuri.domain.events import BundleCancelled, BundleRegistered, BundleReplaced, Identifier, Unit
from tsuzuri.domain.record import Demographics, Document
from tsuzuri.domain.registrations import (
    Intake,
    PatientRecord,
    RecordEvent,
    Registration,
    document_key,
    evolve,
    identify,
    outcome,
    register,
)
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass

A, B, C = "a" * 64, "b" * 64, "c" * 64  # digests of three different Bundles
LETTER = Document(
    kind=DocumentKind.REFERRAL,
    system="urn:letters",
    value="1311234567^2026^1",
    timestamp=NOON,
    facility=CLINIC,
    title="紹介状",
)
KEY = document_key(PATIENT, LETTER)
NUMBER = Identifier(system="urn:insured", value="00012345:1:2:01")
LOCAL = Identifier(system="urn:local", value="P-1")
HANAKO = Demographics(name="試験 花子", birth_date="1970-01-02")


def intake(sha256: str = A) -> Intake:
    return Intake(
        received=UUID(int=1),
        received_sha256=sha256,
        received_bytes=1_234,
        head=UUID(int=2),
        units=(Unit(record_class=RecordClass.CONDITION, payload=UUID(int=3), sha256=C, entries=2),),
        sender="clinic-system",
        rules="shape 1 0",
        warnings=("odd",),
    )


def sent(
    record: PatientRecord, sha256: str, document: Document = LETTER
) -> tuple[Registration, PatientRecord]:
    """What becomes of these bytes, and the record afterwards."""
    answer = outcome(record, document, sha256)
    if answer in (Registration.REGISTERED, Registration.REPLACED):
        event = register(record, document, intake(sha256), event_id=UUID(int=record.version + 100))
        record = evolve(record, event)
    return answer, record


def taken_back(record: PatientRecord, facility: str = CLINIC) -> BundleCancelled | None:
    return cancel(
        record, KEY, facility=facility, reason="wrong patient", sender="clinic-system", event_id=EVENT
    )


def after(*steps: str) -> PatientRecord:
    """A patient's record after Bundles with these digests were sent, or "cancel"."""
    record = PatientRecord(PATIENT)
    for step in steps:
        if step == "cancel":
            event = taken_back(record)
            record = record if event is None else evolve(record, event)
        else:
            _, record = sent(record, step)
    return record


# --- what becomes of the bytes


def brief(value: object) -> str:
    """A case in the test's name: "A B cancel"."""
    letters = {A: "A", B: "B", C: "C"}
    steps = value if isinstance(value, list) else [value]
    return " ".join(letters.get(str(step), str(step)) for step in steps) or "nothing"


@pytest.mark.parametrize(
    ("before", "now", "answer"),
    [
        ([], A, Registration.REGISTERED),
        ([A], A, Registration.UNCHANGED),
        ([A], B, Registration.REPLACED),
        ([A, B], B, Registration.UNCHANGED),
        ([A, B], A, Registration.SUPERSEDED),
        ([A, B, A], B, Registration.UNCHANGED),
        ([A, B, C], A, Registration.SUPERSEDED),
        ([A, B, C], B, Registration.SUPERSEDED),
        ([A, "cancel"], A, Registration.SUPERSEDED),
        ([A, "cancel"], B, Registration.REGISTERED),
        ([A, B, "cancel"], A, Registration.SUPERSEDED),
        ([A, B, "cancel"], B, Registration.SUPERSEDED),
        ([A, "cancel", B], A, Registration.SUPERSEDED),
        ([A, "cancel", B], B, Registration.UNCHANGED),
        ([A, "cancel", B], C, Registration.REPLACED),
        ([A, "cancel", B, "cancel"], A, Registration.SUPERSEDED),
    ],
    ids=brief,
)
def test_what_becomes_of_a_bundle(before: list[str], now: str, answer: Registration) -> None:
    assert outcome(after(*before), LETTER, now) is answer


def test_a_delayed_copy_of_a_replaced_bundle_leaves_the_newer_one_in_force() -> None:
    record = after(A, B)

    answer, later = sent(record, A)

    assert answer is Registration.SUPERSEDED
    assert later == record
    assert record.documents[KEY].accepted.received_sha256 == B


def test_a_delayed_copy_of_a_cancelled_bundle_does_not_bring_it_back() -> None:
    record = after(A, "cancel")

    answer, later = sent(record, A)

    assert answer is Registration.SUPERSEDED
    assert later.documents[KEY].cancelled


@pytest.mark.parametrize(
    "other",
    [
        {"facility": HOSPITAL},
        {"system": "urn:other"},
        {"value": "1311234567^2026^2"},
        {"kind": DocumentKind.DISCHARGE_SUMMARY},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_facility_system_value_or_kind_is_another_bundle(other: dict[str, str]) -> None:
    document = replace(LETTER, **other)  # type: ignore[arg-type]  # one part of the key

    answer, record = sent(after(A), A, document)

    assert answer is Registration.REGISTERED
    assert len(record.documents) == 2


def test_the_same_letter_about_another_patient_is_another_bundle() -> None:
    assert document_key(STRANGER, LETTER) != KEY


def test_the_parts_of_a_key_do_not_run_into_one_another() -> None:
    one = replace(LETTER, system="urn:a", value="b1")
    other = replace(LETTER, system="urn:ab", value="1")

    assert document_key(PATIENT, one) != document_key(PATIENT, other)


def test_when_it_was_written_and_how_it_is_titled_are_no_part_of_the_key() -> None:
    assert document_key(PATIENT, replace(LETTER, title="別", timestamp=NOON + timedelta(days=1))) == KEY


@for_all(st.lists(st.sampled_from([A, B, C, "cancel"]), max_size=12))
def test_bytes_that_ended_never_come_into_force_again(steps: list[str]) -> None:
    record = PatientRecord(PATIENT)
    in_force: str | None = None
    ended: set[str] = set()
    for step in steps:
        if step == "cancel":
            if in_force is not None:
                ended, in_force = ended | {in_force}, None
                record = evolve(record, cancelled := taken_back(record) or pytest.fail("nothing to cancel"))
                assert cancelled.document == KEY
            continue
        answer, record = sent(record, step)
        if step in ended:
            assert answer is Registration.SUPERSEDED
        elif step == in_force:
            assert answer is Registration.UNCHANGED
        else:
            assert answer is (Registration.REGISTERED if in_force is None else Registration.REPLACED)
            ended, in_force = ended | ({in_force} if in_force else set()), step
    if known := record.documents.get(KEY):
        assert (None if known.cancelled else known.accepted.received_sha256) == in_force


# --- the event that stores it


def test_the_first_bundle_under_a_key_is_registered() -> None:
    event = register(PatientRecord(PATIENT), LETTER, intake(), event_id=EVENT)

    assert type(event) is BundleRegistered
    assert (event.originator_id, event.originator_version) == (f"{PATIENT}/record", 1)
    assert (event.document, event.kind, event.facility) == (KEY, DocumentKind.REFERRAL, CLINIC)
    assert (event.system, event.value, event.timestamp) == (LETTER.system, LETTER.value, NOON)
    assert (event.received_sha256, event.received_bytes, event.sender) == (A, 1_234, "clinic-system")
    assert (event.units, event.warnings) == (intake().units, ("odd",))


def test_the_next_one_replaces_it_and_names_the_version_that_ends() -> None:
    record = after(A)

    event = register(record, LETTER, intake(B), event_id=EVENT)

    assert isinstance(event, BundleReplaced)
    assert event.replaces == record.documents[KEY].accepted.event_id
    assert event.originator_version == 2


def test_what_follows_a_cancelled_bundle_is_registered_and_replaces_nothing() -> None:
    event = register(after(A, "cancel"), LETTER, intake(B), event_id=EVENT)

    assert type(event) is BundleRegistered
    assert event.originator_version == 3


def test_the_event_names_the_classes_of_which_something_begins_or_ends() -> None:
    """So that a reader who waits for it waits only when it concerns what she may see."""
    results = Unit(record_class=RecordClass.LAB_RESULT, payload=UUID(int=4), sha256=C, entries=1)
    first = register(PatientRecord(PATIENT), LETTER, intake(), event_id=EVENT)
    second = register(after(A), LETTER, replace(intake(B), units=(results,)), event_id=EVENT)
    third = taken_back(after(A))

    assert first.touches == (RecordClass.CONDITION, RecordClass.REFERRAL)
    assert second.touches == (RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.REFERRAL)
    assert third is not None
    assert third.touches == (RecordClass.CONDITION, RecordClass.REFERRAL)


# --- cancelling


def test_a_facility_takes_its_own_bundle_back() -> None:
    record = after(A, B)

    event = taken_back(record)

    assert event is not None
    assert event.cancels == record.documents[KEY].accepted.event_id
    assert (event.document, event.facility, event.reason) == (KEY, CLINIC, "wrong patient")
    assert event.originator_version == 3


def test_cancelling_twice_is_cancelling_once() -> None:
    assert taken_back(after(A, "cancel")) is None


def test_what_was_registered_anew_can_be_cancelled_anew() -> None:
    record = after(A, "cancel", B)

    event = taken_back(record)

    assert event is not None
    assert event.cancels == record.documents[KEY].accepted.event_id


def test_another_facilitys_bundle_is_answered_like_one_that_is_not_there() -> None:
    with pytest.raises(NothingToCancel) as theirs:
        taken_back(after(A), facility=HOSPITAL)
    with pytest.raises(NothingToCancel) as unknown:
        taken_back(after(), facility=HOSPITAL)
    with pytest.raises(NothingToCancel) as cancelled_already:
        taken_back(after(A, "cancel"), facility=HOSPITAL)

    assert str(theirs.value) == str(unknown.value) == str(cancelled_already.value)


# --- who the patient is


def named(record: PatientRecord, **changes: object) -> RecordEvent | None:
    usual: dict[str, object] = {
        "event_id": EVENT,
        "facility": CLINIC,
        "identifiers": (NUMBER,),
        "disputed": (),
        "demographics": HANAKO,
    }
    return identify(record, **usual | changes)  # type: ignore[arg-type]  # a test states what it changes


def known() -> PatientRecord:
    event = named(PatientRecord(PATIENT))
    assert event is not None
    return evolve(PatientRecord(PATIENT), event)


def test_who_she_is_was_news_once() -> None:
    assert known().identifiers == {(NUMBER.system, NUMBER.value)}
    assert named(known()) is None


@pytest.mark.parametrize(
    "news",
    [
        {"identifiers": (NUMBER, LOCAL)},
        {"disputed": (LOCAL,)},
        {"demographics": replace(HANAKO, name="試験 華子")},
    ],
    ids=["a second number", "a disputed number", "another spelling of the name"],
)
def test_a_new_number_name_or_dispute_is_news_and_only_once(news: dict[str, object]) -> None:
    event = named(known(), **news)

    assert event is not None
    assert event.originator_version == 2
    assert named(evolve(known(), event), **news) is None


def test_a_disputed_number_does_not_become_hers() -> None:
    event = named(known(), disputed=(LOCAL,))
    assert event is not None

    record = evolve(known(), event)

    assert (LOCAL.system, LOCAL.value) in record.disputed
    assert (LOCAL.system, LOCAL.value) not in record.identifiers


def test_a_facility_that_names_fewer_numbers_takes_none_away() -> None:
    record = known()
    second = named(record, identifiers=(LOCAL,))
    assert second is not None

    assert evolve(record, second).identifiers == {
        (NUMBER.system, NUMBER.value),
        (LOCAL.system, LOCAL.value),
    }
