"""What of a patient's record is past its time: nobody may see it any more, at any `asOf`, so it is to be erased.

Each version of a Bundle goes by itself:

* The bytes of a document, and what was read from its head, go at the end of the document's class. The 5情報 taken
  out of it live on until their own end.
* The bytes of a collection have no end of their own. They go with what was taken out of them, all at once, when the
  last of that is past its time.
* So nothing goes before the bytes it was taken from. They hold the same content; and a page made of them shows its
  sender's words to whoever may see every entry that the index has of it, of which none may be missing then.
* A version that was cancelled, or replaced, stays for the period of its class from its registration, whatever it
  tells of: a cancellation may be taken back, a decision of then be looked into. One that was replaced stays no longer
  than the one that took its place; one that was cancelled is not kept by LTS, nor as one of the last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.registrations import PatientRecord, Registered, Version, classes_of
from tsuzuri.domain.retention import visible_until
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, SIX_INFORMATIONS, DocumentKind, RecordClass, in_order


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """What the record index has of one payload."""

    entries: int  # read from it; 0 of received bytes
    registered_at: datetime  # when it came into force, the last time; aware
    seen_until: (
        datetime | None
    )  # from then on nothing of it may be seen, at any `asOf`; None: no end is known


@dataclass(frozen=True, kw_only=True)
class Expired:
    """What is to be erased of one Bundle, all its versions together."""

    document: UUID
    kind: DocumentKind
    classes: tuple[RecordClass, ...]
    payloads: tuple[UUID, ...]
    since: datetime  # when the last of it was past its time; aware


def expired(record: PatientRecord, indexed: Mapping[UUID, Indexed], at: datetime) -> tuple[Expired, ...]:
    """What is past its time at a moment (aware), by Bundle. Holds are not asked.

    *indexed* must stand on the same version as the record. What it lacks, or has in part, is kept.
    """
    found = (_of_bundle(document, known, indexed, at) for document, known in record.documents.items())
    return tuple(one for one in found if one is not None)


def _of_bundle(
    document: UUID, known: Registered, indexed: Mapping[UUID, Indexed], at: datetime
) -> Expired | None:
    kind = known.accepted.kind
    *replaced, newest = known.versions
    ends = _ends(kind, newest, indexed, bodies_stay=known.cancelled, units_stay=known.cancelled)
    going = _going(newest, ends, at)
    left = newest.without(going)
    for version in replaced:
        # While anything is left of the newest, what it replaced has the period from its own registration.
        ends = _ends(
            kind, version, indexed, bodies_stay=bool(left.bodies), units_stay=bool(left.bodies or left.units)
        )
        going |= _going(version, ends, at)
    if not going:
        return None
    return Expired(
        document=document,
        kind=kind,
        classes=_classes(known, going),
        payloads=tuple(payload for payload in (*known.bodies, *known.units) if payload in going),
        since=max(going.values()),
    )


def _ends(
    kind: DocumentKind,
    version: Version,
    indexed: Mapping[UUID, Indexed],
    *,
    bodies_stay: bool,
    units_stay: bool,
) -> dict[UUID, datetime]:
    """Payload → from when on it need not be kept for its own sake; without those of which no end is known.

    The bytes of a collection stand under `Version.received`, with the end of what they carry; of one that carries
    nothing, with the longest end that anything like it could have.
    """
    ends: dict[UUID, datetime] = {}
    for unit in version.units:
        row = indexed.get(unit.payload)
        if row is not None and row.entries == unit.entries:
            _note(ends, unit.payload, _end(row, unit.record_class, stays=units_stay))
    row, own = indexed.get(version.received), DOCUMENT_CLASSES.get(kind)
    if not version.bodies or row is None:
        return ends
    if own is not None:
        _note(ends, version.received, _end(row, own, stays=bodies_stay))
    elif not version.units:
        longest = [visible_until(one, registered_at=row.registered_at) for one in SIX_INFORMATIONS]
        known = [end for end in longest if end is not None]
        _note(ends, version.received, max(known) if len(known) == len(longest) else None)
    elif len(ends) == len(version.units):
        _note(ends, version.received, max(ends.values()))
    return ends


def _end(row: Indexed, record_class: RecordClass, *, stays: bool) -> datetime | None:
    """When nothing of it is seen any more; of what *stays*, not before the period from its registration is over."""
    if row.seen_until is None or not stays:
        return row.seen_until
    period = visible_until(record_class, registered_at=row.registered_at)
    return None if period is None else max(row.seen_until, period)


def _note(ends: dict[UUID, datetime], payload: UUID, end: datetime | None) -> None:
    if end is not None:
        ends[payload] = end


def _going(version: Version, ends: Mapping[UUID, datetime], at: datetime) -> dict[UUID, datetime]:
    """What goes of one version, and when each became past its time."""
    over = {payload: end for payload, end in ends.items() if end <= at}
    if version.bodies:
        if version.received not in over:
            return {}
        over |= dict.fromkeys(version.bodies, over[version.received])
    return over


def _classes(known: Registered, going: Mapping[UUID, datetime]) -> tuple[RecordClass, ...]:
    """Of what goes; of a set that names nothing, those it tells all of."""
    units = {
        unit.record_class for version in known.versions for unit in version.units if unit.payload in going
    }
    own = DOCUMENT_CLASSES.get(known.accepted.kind)
    bodies = {own} if own is not None and not going.keys().isdisjoint(known.bodies) else set()
    found = units | bodies or set(classes_of(known.accepted))
    return in_order(found)
