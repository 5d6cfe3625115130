"""Patients' made-up lives, event after event as facilities and operators would bring them about, without end."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any, assert_never
from uuid import UUID

from examples import CLINIC, HOSPITAL, NOON, SIX, granted, withdrawn
from log_examples import PARTS, a_ring, an_owner, logins, opened_log, trail_read
from projection_examples import BUNDLE_SYSTEM, bundle_value
from tsuzuri.domain.corrections import cancel
from tsuzuri.domain.erasures import NothingToErase, erase_document, erase_stream
from tsuzuri.domain.events import Event, Identifier, PayloadErased, StreamErased, Unit, originator
from tsuzuri.domain.identifiers import INSURED_PERSON_SYSTEM
from tsuzuri.domain.record import Demographics, Document, Entry
from tsuzuri.domain.registrations import (
    Intake,
    PatientRecord,
    evolve,
    hiding_marks,
    identify,
    marked_at,
    register,
)
from tsuzuri.domain.units import dump_document, dump_entries
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass, Stream
from tsuzuri.eventlog.appending import Beside, Payload, Write
from tsuzuri.eventlog.bulk import BulkAppender
from tsuzuri.eventlog.data_keys import STREAM_USES, KeyUse
from tsuzuri.eventlog.key_keeping import FindKeys, KeyKeeper, keys_of_owner, keys_of_payloads
from tsuzuri.eventlog.log import LogApplication
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.eventlog.places import part_of

WORD = "鶯谷ウグイス"
"""Stands in every text that was read from a Bundle, and nowhere else."""

_STEPS = ("bundle", "bundle", "bundle", "bundle", "cancel", "consent", "withdraw", "look")
_RESOURCES = {RecordClass.CONDITION: "Condition", RecordClass.LAB_RESULT: "Observation"}
_RECORD_USES = (KeyUse.RECORD, KeyUse.DOCUMENT, KeyUse.UNIT)
_mapper = event_mapper()

Erasure = tuple[Write, FindKeys]
"""The event that says what is made unreadable, and the keys of that."""


class Patient:
    """One patient, and each thing that can happen to her, to be appended. The random numbers are for ids and texts."""

    def __init__(self, number: int, random: Random, parts: int = PARTS):
        self.random = random
        self.parts = parts
        self.patient_id = an_owner(number)
        self.record = PatientRecord(self.patient_id)
        self.consent_version = 0

    def identify(self) -> Write:
        """Comes before her first Bundle, and again when her record was erased."""
        number = Identifier(system=INSURED_PERSON_SYSTEM, value=f"{self.patient_id.int % 10**8:08}:::")
        event = identify(
            self.record,
            event_id=self._an_id(),
            facility=CLINIC,
            identifiers=(number,),
            disputed=(),
            demographics=Demographics(name=f"試験 花子 {WORD}"),
        )
        assert event is not None
        return self._recorded(event)

    def register(
        self,
        facility: str,
        local_id: str,
        entries: Mapping[RecordClass, Sequence[str]],
        marked: Collection[str] = (),
    ) -> Write:
        """A Bundle of these classes' entries, by their keys; it replaces one of the same local id."""
        document = Document(
            kind=DocumentKind.CONDITIONS,
            system=BUNDLE_SYSTEM,
            value=bundle_value(local_id, facility),
            timestamp=NOON + timedelta(minutes=self.record.version),
            facility=facility,
            title=f"傷病名 {WORD}",
        )
        payloads = [Payload(self._an_id(), dump_document(document), self._an_id(), KeyUse.DOCUMENT)]
        units: list[Unit] = []
        hides: dict[str, tuple[Flag, ...]] = {}
        since: dict[str, datetime] = {}
        for record_class, keys in entries.items():
            of_class = [self._entry(key, record_class, facility, hidden=key in marked) for key in keys]
            unit = Payload(self._an_id(), dump_entries(of_class), self._an_id(), KeyUse.UNIT)
            payloads.append(unit)
            units.append(
                Unit(record_class=record_class, payload=unit.payload_id, sha256="", entries=len(keys))
            )
            hides |= hiding_marks(of_class)
            since |= marked_at(of_class)
        intake = Intake(
            received=self._an_id(),
            received_sha256=sha256(self._an_id().bytes).hexdigest(),
            received_bytes=0,
            head=payloads[0].payload_id,
            units=tuple(units),
            sender="clinic-system",
            rules="shape 1 0",
            hides=hides,
            marked_at=since,
        )
        return self._recorded(register(self.record, document, intake, event_id=self._an_id()), payloads)

    def documents(self) -> list[UUID]:
        """Her documents that are in force."""
        return sorted(key for key, one in self.record.documents.items() if not one.cancelled)

    def cancel(self, document: UUID) -> Write:
        facility = self.record.documents[document].accepted.facility
        event = cancel(self.record, document, facility=facility, reason="", sender="", event_id=self._an_id())
        assert event is not None, "it is cancelled already"
        return self._recorded(event)

    def consent(self, facility: str, classes: Sequence[RecordClass]) -> Write:
        return _plain(granted(**self._next_consent(facility, classes)))

    def withdraw(self, facility: str, classes: Sequence[RecordClass]) -> Write:
        """No classes: all of them."""
        return _plain(withdrawn(**self._next_consent(facility, classes)))

    def look(self) -> Write:
        return _plain(trail_read(self.patient_id, event_id=self._an_id(), patient=self.patient_id))

    def erase_document(self, document: UUID, *, units: bool) -> Erasure:
        """Raises NothingToErase."""
        return self._erased(erase_document(self.record, document, units=units, **self._by()))

    def erase_stream(self, stream: Stream) -> Erasure:
        return self._erased(erase_stream(self.record, stream, **self._by()))

    def _erased(self, event: PayloadErased | StreamErased) -> Erasure:
        write = self._recorded(event)
        if isinstance(event, StreamErased) and event.ERASES is Stream.RECORD:
            # nobody knows more of her now
            self.record = PatientRecord(self.patient_id, version=self.record.version)
        return write, _keys_erased(self.patient_id, part_of(self.patient_id, self.parts), event)

    def _by(self) -> dict[str, Any]:
        return {"reason": "asked for", "erased_by": "operator-ono", "event_id": self._an_id()}

    def _recorded(self, event: Any, payloads: Sequence[Payload] = ()) -> Write:
        self.record = evolve(self.record, event)
        return _plain(event, payloads)

    def _an_id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def _next_consent(self, facility: str, classes: Sequence[RecordClass]) -> dict[str, Any]:
        self.consent_version += 1
        return {
            "originator_id": originator(self.patient_id, Stream.CONSENT),
            "originator_version": self.consent_version,
            "event_id": self._an_id(),
            "patient": self.patient_id,
            "facility": facility,
            "classes": tuple(classes),
        }

    def _entry(self, key: str, record_class: RecordClass, facility: str, *, hidden: bool) -> Entry:
        return Entry(
            key=key,
            record_class=record_class,
            resource_type=_RESOURCES[record_class],
            resource_place=1,
            name=f"{WORD} {key}\t\\N {self.random.randrange(100)}",  # what COPY must not take for something else
            facility=facility,
            flags=(Flag.UNINFORMED,) if hidden else (),
        )


class Life(Patient):
    """What happens to a patient at random. The same number and the same random numbers give the same life."""

    def write(self) -> Write:
        """What happens next."""
        if self.record.demographics is None:
            return self.identify()
        facility, step = self.random.choice([CLINIC, HOSPITAL]), self.random.choice(_STEPS)
        match step:
            case "cancel" if documents := self.documents():
                return self.cancel(self.random.choice(documents))
            case "consent":
                return self.consent(facility, self.random.sample(SIX, 3))
            case "withdraw":
                return self.withdraw(facility, self.random.sample(SIX, 3))
            case "look":
                return self.look()
            case _:
                classes = self.random.choice([[*_RESOURCES], [*_RESOURCES][:1]])
                keys = {record_class: self.random.sample("pqrst", 2) for record_class in classes}
                marked = [key for key in "pqrst" if self.random.random() < 0.1]
                return self.register(facility, self.random.choice("abc"), keys, marked)

    def erasure(self) -> Erasure:
        """Something of hers is made unreadable: one document, or all of one stream."""
        documents = sorted(self.record.documents)
        if documents and self.random.random() < 0.6:
            try:
                document = self.random.choice(documents)
                return self.erase_document(document, units=self.random.random() < 0.5)
            except NothingToErase:
                return self.erase_stream(Stream.CONSENT)
        return self.erase_stream(self.random.choice(list(Stream)))


def _plain(event: Event, payloads: Sequence[Payload] = ()) -> Write:
    return Write([_mapper.to_stored_event(event)], Beside(payloads=payloads))


def _keys_erased(patient: UUID, part: int, event: Event) -> FindKeys:
    match event:
        case PayloadErased():
            return keys_of_payloads(part, event.payloads)
        case StreamErased():
            uses = _RECORD_USES if event.ERASES is Stream.RECORD else (STREAM_USES[event.ERASES],)
            return keys_of_owner(part, patient, uses)
        case _:
            assert_never(event)  # type: ignore[arg-type]  # nothing else erases


def append(log: LogApplication, writes: Sequence[Write]) -> None:
    """All of them, each owner's in their order."""
    refused = [one.why for one in BulkAppender(log.part_recorder).append(writes) if one is not None]
    assert not refused, f"{len(refused)} of {len(writes)} writes were refused, first: {refused[0]!r}"


def go_on(dsn: str, lives: Iterable[Life], random: Random, *, events_most: int, erasures: float) -> None:
    """Each of these lives for a few events more; of so many, from 0 to 1, something is erased then."""
    some = list(lives)
    with opened_log(dsn, connections=1) as log:
        append(log, [life.write() for life in some for _ in range(random.randint(0, events_most))])
    keeper = KeyKeeper(logins(dsn), a_ring(), PARTS)
    for life in some:
        if random.random() < erasures:
            keeper.destroy(*life.erasure())
