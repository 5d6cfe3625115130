"""Which Bundle of a facility tells all there is of a class now, and which of what others say has ended by it.

Conditions and allergies come as full sets: what the newest set of a facility (where sets are kept so, of a
department) does not name has ended. Newest is the latest `Bundle.timestamp`, however late a set arrives; one that is
cancelled counts no more, and what it had ended is in force again. What a document says of these classes ends with the
next set.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tsuzuri.domain.corrections import newness
from tsuzuri.domain.events import BundleAccepted, BundleCancelled, BundleRegistered
from tsuzuri.domain.vocabulary import REPLACEMENT_SETS, RecordClass
from tsuzuri.projections import fences
from tsuzuri.projections.rows import Look, Row, Rows, look

TABLE = f"""
CREATE TABLE replacement_set (
    patient_id uuid NOT NULL, document uuid NOT NULL, facility text NOT NULL, scope text NOT NULL,
    kind text NOT NULL, timestamp timestamptz NOT NULL, system text NOT NULL, value text NOT NULL
);
{fences.of_patients("replacement_set")}"""
INDEX = "ALTER TABLE replacement_set ADD PRIMARY KEY (patient_id, document);"

KIND_OF_CLASS = {record_class: kind for kind, classes in REPLACEMENT_SETS.items() for record_class in classes}


class SetRow(Row, frozen=True, kw_only=True):
    """A set that is not cancelled. It stays when its content is erased: what it ended has ended."""

    TABLE, KEY = "replacement_set", ("patient_id", "document")

    patient_id: UUID
    document: UUID
    facility: str
    scope: str
    kind: str
    timestamp: datetime
    system: str
    value: str


def sets_looked_at(event: BundleAccepted | BundleCancelled) -> Sequence[Look]:
    return [look(SetRow, facility=event.facility)] if set_classes(event) else []


def set_classes(event: BundleAccepted | BundleCancelled) -> tuple[RecordClass, ...]:
    """The classes of which an event may end something, or put it in force again."""
    return tuple(record_class for record_class in event.touches if record_class in KIND_OF_CLASS)


def may_bring_back(event: BundleAccepted | BundleCancelled) -> bool:
    """Whether something that had ended may be in force again. A new key can only end."""
    return not isinstance(event, BundleRegistered)


def keep_set(rows: Rows, event: BundleAccepted | BundleCancelled) -> None:
    """Note the set an event brings, or that it is cancelled."""
    if isinstance(event, BundleCancelled):
        for row in rows.of(SetRow, facility=event.facility) if set_classes(event) else ():
            if row.document == event.document:
                rows.remove(row)
    elif event.kind in REPLACEMENT_SETS:
        rows.put(
            SetRow(
                patient_id=event.patient,
                document=event.document,
                facility=event.facility,
                scope=event.scope,
                kind=event.kind,
                timestamp=event.timestamp,
                system=event.system,
                value=event.value,
            )
        )


class Stated(Protocol):
    """A row of any projection that holds what one Bundle said of one class."""

    @property
    def record_class(self) -> str: ...
    @property
    def document(self) -> UUID: ...
    @property
    def scope(self) -> str: ...
    @property
    def stated_at(self) -> datetime: ...


class Newest:
    """The newest set of each kind and scope at one facility."""

    def __init__(self, rows: Rows, facility: str) -> None:
        sets = rows.of(SetRow, facility=facility)
        self._all = {row.document for row in sets}
        self._newest = {(row.scope, row.kind): row for row in sorted(sets, key=newness)}

    def ends(self, said: Stated) -> bool:
        """Whether what a Bundle said of a class is no more: the newest set says otherwise, or the same anew."""
        newest = self._newest.get((said.scope, KIND_OF_CLASS[RecordClass(said.record_class)]))
        if newest is None or newest.document == said.document:
            return False
        return said.document in self._all or said.stated_at < newest.timestamp
