"""Which version stood when, and which reads could show it: on places of one part, and on moments across parts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from event_examples import EXAMPLES
from examples import CLINIC, HOSPITAL, NOON, PATIENT, STRANGER
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.events import (
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    Event,
    Unit,
)
from tsuzuri.domain.past_versions import (
    EndedBy,
    PastReading,
    PastVersion,
    Place,
    could_show,
    standing,
    versions,
)
from tsuzuri.domain.vocabulary import AccessBasis, DocumentKind, Flag, RecordClass

DOCUMENT, OTHER = UUID(int=50), UUID(int=51)
CONDITION = RecordClass.CONDITION


def of(kind: type[Event], **changes: Any) -> Any:
    example: Any = next(event for event in EXAMPLES if type(event) is kind)
    if kind is BundleCancelled:
        return replace(example, **{"document": DOCUMENT} | changes)
    usual = {
        "document": DOCUMENT,
        "kind": DocumentKind.CONDITIONS,
        "facility": CLINIC,
        "scope": "",
        "timestamp": NOON,
        "units": (Unit(record_class=CONDITION, payload=UUID(int=9), sha256="", entries=1),),
        "hides": {},
        "recipient": None,
    }
    return replace(example, **usual | changes)


def place(pos: int) -> Place:
    return Place(pos, NOON + timedelta(minutes=pos))


def told(*events: Event) -> list[PastVersion]:
    """At 10, 20, 30, ..."""
    return versions(PATIENT, [(place(10 * number), event) for number, event in enumerate(events, 1)])


def a_reading(read_at: int, **changes: Any) -> PastReading:
    ground = Ground(basis=AccessBasis.CONSENT, classes=(CONDITION,), flags=(Flag.LTS, Flag.UNINFORMED))
    usual: dict[str, Any] = {
        "patient": PATIENT,
        "at": place(read_at).at,
        "read_at": read_at,
        "as_of": None,
        "grounds": (ground,),
        "shown": {CONDITION: 1},
    }
    return PastReading(**usual | changes)


def stood(held: Sequence[PastVersion], reading: PastReading) -> list[int]:
    return [one.since.pos for one in standing(reading, held)]


def test_a_version_stands_from_its_place_until_it_is_replaced_or_cancelled() -> None:
    held = told(of(BundleRegistered), of(BundleReplaced), of(BundleCancelled))

    assert [(one.since.pos, one.until and one.until.pos, one.ended_by) for one in held] == [
        (10, 20, EndedBy.REPLACED),
        (20, 30, EndedBy.CANCELLED),
    ]
    assert [stood(held, a_reading(at)) for at in (9, 10, 19, 20, 29, 30)] == [[], [10], [10], [20], [20], []]


def test_a_cancellation_that_is_taken_back_was_none() -> None:
    held = told(of(BundleRegistered), of(BundleCancelled), of(BundleRestored), of(BundleReplaced))

    assert [(one.since.pos, one.ended_by) for one in held] == [
        (10, EndedBy.TAKEN_BACK),
        (30, EndedBy.REPLACED),
        (40, None),
    ]
    assert [stood(held, a_reading(at)) for at in (15, 25, 35, 45)] == [[10], [], [30], [40]]


def test_of_the_full_sets_of_a_facility_the_newest_stands_and_comes_back_when_the_next_is_cancelled() -> None:
    later = {"document": OTHER, "timestamp": NOON + timedelta(days=1)}
    held = told(of(BundleRegistered), of(BundleRegistered, **later), of(BundleCancelled, document=OTHER))

    assert [stood(held, a_reading(at)) for at in (15, 25, 35)] == [[10], [20], [10]]
    elsewhere = told(of(BundleRegistered), of(BundleRegistered, **later, facility=HOSPITAL))
    assert stood(elsewhere, a_reading(25)) == [10, 20]


def test_who_asks_for_an_earlier_moment_sees_what_stood_then_but_nothing_that_was_cancelled() -> None:
    replaced = told(of(BundleRegistered), of(BundleReplaced))
    cancelled = told(of(BundleRegistered), of(BundleCancelled))

    for held, then in ((replaced, [10]), (cancelled, [])):
        assert stood(held, a_reading(15, as_of="position", at=place(90).at)) == then
        assert stood(held, a_reading(90, as_of=place(15).at.isoformat())) == then


def test_of_who_was_the_same_person_moments_are_compared() -> None:
    held = told(of(BundleRegistered), of(BundleReplaced))

    def of_another(minute: int) -> PastReading:
        return a_reading(1_000_000, patient=STRANGER, at=place(minute).at)

    assert [stood(held, of_another(minute)) for minute in (5, 15, 25)] == [[], [10], [20]]


@pytest.mark.parametrize(
    ("ground", "shown"),
    [
        ({}, True),
        ({"classes": (RecordClass.LAB_RESULT,)}, False),
        ({"flags": (Flag.LTS,)}, False),
        ({"sender": CLINIC}, True),
        ({"sender": HOSPITAL}, False),
        ({"recipient": HOSPITAL}, False),
        ({"document": DOCUMENT}, True),
        ({"document": OTHER}, False),
    ],
)
def test_a_read_could_show_only_what_its_grounds_cover(ground: dict[str, Any], shown: bool) -> None:
    (version,) = told(of(BundleRegistered, hides={"c": (Flag.UNINFORMED,)}))
    usual = a_reading(15)
    reading = replace(usual, grounds=(replace(usual.grounds[0], **ground),))

    assert could_show(reading, version, [CONDITION], Flag.UNINFORMED) == ((CONDITION,) if shown else ())


def test_a_read_that_showed_nothing_of_the_class_did_not_show_the_version() -> None:
    (version,) = told(of(BundleRegistered))

    assert could_show(a_reading(15, shown={}), version, version.classes) == ()
    assert could_show(a_reading(15, shown={RecordClass.LAB_RESULT: 3}), version, version.classes) == ()
