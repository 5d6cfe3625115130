"""Which version of what a facility sent stood when, folded from a patient's record; and which reads could show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    Event,
)
from tsuzuri.domain.registrations import classes_of
from tsuzuri.domain.vocabulary import REPLACEMENT_SETS, DocumentKind, Flag, RecordClass

VERSION_EVENTS: tuple[type[Event], ...] = (BundleRegistered, BundleReplaced, BundleRestored, BundleCancelled)


class EndedBy(StrEnum):
    """How a version came to its end."""

    REPLACED = "REPLACED"  # 変更: other bytes under the same key
    CANCELLED = "CANCELLED"  # 取消
    TAKEN_BACK = "TAKEN_BACK"  # 取消UNDO: it was cancelled, and is in force again as a version of its own


@dataclass(frozen=True)
class Place:
    """Where an event of a patient stands in her part, and when it was recorded (aware)."""

    pos: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class PastVersion:
    """One version of a Bundle, from when on it stood and until when."""

    patient: UUID
    document: UUID
    kind: DocumentKind
    facility: str
    recipient: str | None
    scope: str
    timestamp: datetime
    classes: tuple[RecordClass, ...]
    marks: frozenset[Flag]
    since: Place
    until: Place | None = None
    ended_by: EndedBy | None = None


@dataclass(frozen=True, kw_only=True)
class PastReading:
    """A read as far as it tells which versions it could show."""

    patient: UUID
    at: datetime
    read_at: int | None  # position in the patient's part; None: not kept
    as_of: str | None  # a moment, or "position", when not now
    grounds: tuple[Ground, ...]
    shown: Mapping[RecordClass, int]


def versions(patient: UUID, told: Iterable[tuple[Place, Event]]) -> list[PastVersion]:
    """Of the record events of one patient, in order. What is no version of anything is passed over."""
    found: list[PastVersion] = []
    for place, event in told:
        match event:
            case BundleAccepted() as accepted:
                if isinstance(accepted, BundleRestored):
                    _end_last(found, accepted.document, EndedBy.CANCELLED, EndedBy.TAKEN_BACK)
                _end_last(found, accepted.document, None, EndedBy.REPLACED, place)
                found.append(_version(patient, accepted, place))
            case BundleCancelled(document=document):
                _end_last(found, document, None, EndedBy.CANCELLED, place)
            case _:
                pass
    return found


def standing(reading: PastReading, of_all: Iterable[PastVersion]) -> list[PastVersion]:
    """Those that stood at the place that an answer stood on: of the full sets of a facility only the newest."""
    stood = [one for one in of_all if _stood(reading, one)]
    newest: dict[tuple[str, str, str], PastVersion] = {}
    for one in stood:
        before = newest.get(_set_of(one))
        newest[_set_of(one)] = one if before is None or before.timestamp <= one.timestamp else before
    return [one for one in stood if one.kind not in REPLACEMENT_SETS or newest[_set_of(one)] is one]


def could_show(
    reading: PastReading, version: PastVersion, wanted: Iterable[RecordClass], mark: Flag | None = None
) -> tuple[RecordClass, ...]:
    """The *wanted* classes of which it showed something while a version stood, that its grounds let it see.

    *mark*: which the grounds must show too. Whether what it showed of a class was of this very version, only its
    replay tells.
    """
    return tuple(
        one
        for one in wanted
        if one in version.classes
        and reading.shown.get(one, 0) > 0
        and any(_covers(ground, version, one, mark) for ground in reading.grounds)
    )


def _covers(ground: Ground, version: PastVersion, record_class: RecordClass, mark: Flag | None) -> bool:
    return (
        record_class in ground.classes
        and (mark is None or mark in ground.flags)
        and ground.sender in (None, version.facility)
        and ground.recipient in (None, version.recipient)
        and ground.document in (None, version.document)
    )


def _stood(reading: PastReading, version: PastVersion) -> bool:
    """At the place that the answer stood on. What is cancelled is shown at no earlier moment either."""
    until = version.until
    if until is not None and until.at <= reading.at:
        if reading.as_of is None or version.ended_by is EndedBy.CANCELLED:
            return False
    if reading.as_of not in (None, "position"):
        moment = datetime.fromisoformat(reading.as_of or "")
        return version.since.at <= moment and (until is None or moment < until.at)
    if reading.patient != version.patient or reading.read_at is None:  # positions of parts cannot be compared
        return version.since.at <= reading.at
    if version.since.pos > reading.read_at:
        return False
    return reading.as_of is None or until is None or reading.read_at < until.pos


def _version(patient: UUID, accepted: BundleAccepted, place: Place) -> PastVersion:
    return PastVersion(
        patient=patient,
        document=accepted.document,
        kind=accepted.kind,
        facility=accepted.facility,
        recipient=accepted.recipient,
        scope=accepted.scope,
        timestamp=accepted.timestamp,
        classes=classes_of(accepted),
        marks=frozenset(flag for flags in accepted.hides.values() for flag in flags),
        since=place,
    )


def _end_last(
    found: list[PastVersion], document: UUID, was: EndedBy | None, by: EndedBy, place: Place | None = None
) -> None:
    """Of the versions of a document, the last whose end *was* so ends *by* that, there or where it had ended."""
    for number in reversed(range(len(found))):
        one = found[number]
        if one.document == document and one.ended_by is was:
            found[number] = replace(one, ended_by=by, until=place or one.until)
            return


def _set_of(one: PastVersion) -> tuple[str, str, str]:
    return one.kind, one.facility, one.scope
