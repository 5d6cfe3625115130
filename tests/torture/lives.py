"""Patients' made-up lives, event after event as facilities and operators would bring them about, without end."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import Any, assert_never
from uuid import UUID

from examples import CLINIC, HOSPITAL, NOON, SIX, granted, withdrawn
from log_examples import PARTS, a_ring, an_owner, logins, opened_log, trail_read
from projection_examples import BUNDLE_SYSTEM, bundle_value
from tsuzuri.domain.erasures import NothingToErase, erase_document, erase_stream
from tsuzuri.domain.events import Event, Identifier, PayloadErased, StreamErased, Unit, originator
from tsuzuri.domain.identifiers import INSURED_PERSON_SYSTEM
from tsuzuri.domain.record import Demographics, Document, Entry
from tsuzuri.domain.registrations import (
    Intake,
    PatientRecord,
    cancel,
    evolve,
    hiding_marks,
    identify,
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

_STEPS = ("bundle", "bundle", "bundle", "bundle", "cancel", "consent", "withdraw", "access")
_RESOURCES = {RecordClass.CONDITION: "Condition", RecordClass.LAB_RESULT: "Observation"}
_RECORD_USES = (KeyUse.RECORD, KeyUse.DOCUMENT, KeyUse.UNIT)
_mapper = event_mapper()


class Life:
    """One patient's. The same number and the same random numbers give the same life."""

    def __init__(self, number: int, random: Random):
        self.random = random
        self.patient = an_owner(number)
        self.record = PatientRecord(self.patient)
        self.consent_version = 0

    def write(self) -> Write:
        """What happens next, to be appended."""
        if self.record.demographics is None:
            return self._recorded(self._identified())
        match self.random.choice(_STEPS):
            case "cancel" if (event := self._cancelled()) is not None:
                return self._recorded(event)
            case "consent" | "withdraw" as step:
                return _plain(self._consent(step))
            case "access":
                return _plain(trail_read(self.patient, event_id=self._an_id(), patient=self.patient))
            case _:
                return self._bundle()

    def erasure(self) -> tuple[Write, FindKeys]:
        """Something of hers is made unreadable: one document, or all of one stream."""
        by: dict[str, Any] = {"reason": "asked for", "erased_by": "operator-ono", "event_id": self._an_id()}
        documents = sorted(self.record.documents)
        if documents and self.random.random() < 0.6:
            units, document = self.random.random() < 0.5, self.random.choice(documents)
            try:
                event: Event = erase_document(self.record, document, units=units, **by)
            except NothingToErase:
                event = erase_stream(self.record, Stream.CONSENT, **by)
        else:
            event = erase_stream(self.record, self.random.choice(list(Stream)), **by)
        write = self._recorded(event)
        if isinstance(event, StreamErased) and event.ERASES is Stream.RECORD:
            self.record = PatientRecord(
                self.patient, version=self.record.version
            )  # nobody knows more of her now
        return write, _keys_erased(self.patient, event)

    def _recorded(self, event: Any, payloads: Sequence[Payload] = ()) -> Write:
        self.record = evolve(self.record, event)
        return _plain(event, payloads)

    def _an_id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def _identified(self) -> Event:
        number = Identifier(system=INSURED_PERSON_SYSTEM, value=f"{self.patient.int % 10**8:08}:::")
        event = identify(
            self.record,
            event_id=self._an_id(),
            facility=CLINIC,
            identifiers=(number,),
            disputed=(),
            demographics=Demographics(name=f"試験 花子 {WORD}"),
        )
        assert event is not None
        return event

    def _consent(self, step: str) -> Event:
        self.consent_version += 1
        whose: dict[str, Any] = {
            "originator_id": originator(self.patient, Stream.CONSENT),
            "originator_version": self.consent_version,
            "event_id": self._an_id(),
            "patient": self.patient,
            "facility": self.random.choice([CLINIC, HOSPITAL]),
            "classes": tuple(self.random.sample(SIX, 3)),
        }
        return granted(**whose) if step == "consent" else withdrawn(**whose)

    def _cancelled(self) -> Event | None:
        held = sorted(key for key, one in self.record.documents.items() if not one.cancelled)
        if not held:
            return None
        document = self.random.choice(held)
        return cancel(
            self.record,
            document,
            facility=self.record.documents[document].facility,
            reason="",
            sender="",
            event_id=self._an_id(),
        )

    def _bundle(self) -> Write:
        facility = self.random.choice([CLINIC, HOSPITAL])
        document = Document(
            kind=DocumentKind.CONDITIONS,
            system=BUNDLE_SYSTEM,
            value=bundle_value(self.random.choice("abc"), facility),
            timestamp=NOON + timedelta(minutes=self.record.version),
            facility=facility,
            title=f"傷病名 {WORD}",
        )
        payloads = [Payload(self._an_id(), dump_document(document), self._an_id(), KeyUse.DOCUMENT)]
        units: list[Unit] = []
        hides: dict[str, tuple[Flag, ...]] = {}
        for record_class in self.random.choice([[*_RESOURCES], [*_RESOURCES][:1]]):
            entries = [self._entry(key, record_class, facility) for key in self.random.sample("pqrst", 2)]
            unit = Payload(self._an_id(), dump_entries(entries), self._an_id(), KeyUse.UNIT)
            payloads.append(unit)
            units.append(Unit(record_class=record_class, payload=unit.payload_id, sha256="", entries=2))
            hides |= hiding_marks(entries)
        intake = Intake(
            received=self._an_id(),
            received_sha256=sha256(self._an_id().bytes).hexdigest(),
            received_bytes=0,
            head=payloads[0].payload_id,
            units=tuple(units),
            sender="clinic-system",
            hides=hides,
        )
        return self._recorded(register(self.record, document, intake, event_id=self._an_id()), payloads)

    def _entry(self, key: str, record_class: RecordClass, facility: str) -> Entry:
        return Entry(
            key=key,
            record_class=record_class,
            resource_type=_RESOURCES[record_class],
            resource_place=1,
            name=f"{WORD} {key}\t\\N {self.random.randrange(100)}",  # what COPY must not take for something else
            facility=facility,
            flags=(Flag.UNINFORMED,) if self.random.random() < 0.1 else (),
        )


def _plain(event: Event, payloads: Sequence[Payload] = ()) -> Write:
    return Write([_mapper.to_stored_event(event)], Beside(payloads=payloads))


def _keys_erased(patient: UUID, event: Event) -> FindKeys:
    match event:
        case PayloadErased():
            return keys_of_payloads(part_of(patient, PARTS), event.payloads)
        case StreamErased():
            uses = _RECORD_USES if event.ERASES is Stream.RECORD else (STREAM_USES[event.ERASES],)
            return keys_of_owner(part_of(patient, PARTS), patient, uses)
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
