"""Bundles of about 20 KB as intake stores them: the received bytes, the Document, and the entries of four classes.

Nothing is parsed: what was read of a Bundle is drawn once, some fifty times, and each Bundle is one of these with ids
of its own. So a log of a hundred thousand is made as fast as it can be sealed.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from uuid import UUID, uuid4

from bench.samples import text
from tsuzuri.domain.events import BundleRegistered, Unit, originator
from tsuzuri.domain.owners import document_id
from tsuzuri.domain.record import Coding, Document, Entry, ReferenceRange, Value
from tsuzuri.domain.units import dump_document, dump_entries
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Stream
from tsuzuri.eventlog.appending import Payload
from tsuzuri.eventlog.data_keys import KeyUse

RECEIVED_BYTES = 20_000
BUNDLES_A_PATIENT = 5
ENTRIES = {
    RecordClass.CONDITION: 4,
    RecordClass.OTHER_ALLERGY: 1,
    RecordClass.LAB_RESULT: 8,
    RecordClass.PRESCRIPTION: 2,
}
FACILITY = "1312345678"
_TYPES = {
    RecordClass.CONDITION: "Condition",
    RecordClass.OTHER_ALLERGY: "AllergyIntolerance",
    RecordClass.LAB_RESULT: "Observation",
    RecordClass.PRESCRIPTION: "MedicationRequest",
}
_FIRST = datetime(2024, 4, 1, 9, 0, tzinfo=UTC)
_SYSTEM = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/medicalRecordBundle"


@dataclass(frozen=True)
class Content:
    """What one Bundle says, drawn once."""

    received: bytes
    sha256: str
    document: Document
    head: bytes
    units: tuple[tuple[RecordClass, bytes, str, int], ...]  # class, bytes, their SHA-256, entries


@dataclass(frozen=True)
class Registered:
    """One Bundle, and what is stored beside its event."""

    event: BundleRegistered
    payloads: tuple[Payload, ...]


def bundles(bundles_a_patient: int = BUNDLES_A_PATIENT) -> Iterator[Registered]:
    """Registrations without end: so many of one patient, then the next patient."""
    while True:
        patient = uuid4()
        for version in range(1, bundles_a_patient + 1):
            yield registered(patient, version)


def registered(patient: UUID, version: int) -> Registered:
    """One of the drawn Bundles, under a key of its own, as that version of the patient's stream."""
    content = random.choice(contents())
    document, value = content.document, f"{version:08d}"
    secret = uuid4()
    whole = Payload(uuid4(), content.received, secret, KeyUse.DOCUMENT)
    head = Payload(uuid4(), content.head, secret, KeyUse.DOCUMENT)
    bodies = [Payload(uuid4(), body, uuid4(), KeyUse.UNIT) for _, body, _, _ in content.units]
    event = BundleRegistered(
        originator_id=originator(patient, Stream.RECORD),
        originator_version=version,
        event_id=uuid4(),
        patient=patient,
        document=document_id(patient, FACILITY, document.system, value, document.kind),
        kind=document.kind,
        facility=FACILITY,
        system=document.system,
        value=value,
        timestamp=document.timestamp,
        received=whole.payload_id,
        received_sha256=content.sha256,
        received_bytes=len(content.received),
        head=head.payload_id,
        units=tuple(
            Unit(record_class=kind, payload=body.payload_id, sha256=digest, entries=entries)
            for body, (kind, _, digest, entries) in zip(bodies, content.units, strict=True)
        ),
        sender="system-1312345678",
        touches=tuple(kind for kind, *_ in content.units),
    )
    return Registered(event, (whole, head, *bodies))


@cache
def contents() -> list[Content]:
    """Drawn alike in every process."""
    draw = random.Random(20261123)
    return [_content(draw) for _ in range(50)]


def _content(draw: random.Random) -> Content:
    at = _FIRST + timedelta(minutes=draw.randrange(1_000_000))
    entries = {
        kind: tuple(_entry(draw, kind, place, at) for place in range(count))
        for kind, count in ENTRIES.items()
    }
    document = Document(
        kind=DocumentKind.REFERRAL,
        system=_SYSTEM,
        value="",  # the event has it
        timestamp=at,
        facility=FACILITY,
        title="診療情報提供書",
        facility_name="試験総合医療センター",
        department=text(draw, 20),
        author="佐藤 一郎",
        recipient="1412345678",
        recipient_name="試験クリニック",
        dated=at,
    )
    units = []
    for kind, some in entries.items():
        body = dump_entries(some)
        units.append((kind, body, sha256(body).hexdigest(), len(some)))
    received = _received(draw)
    return Content(received, sha256(received).hexdigest(), document, dump_document(document), tuple(units))


def _entry(draw: random.Random, kind: RecordClass, place: int, at: datetime) -> Entry:
    result = kind is RecordClass.LAB_RESULT
    number = f"{draw.randrange(1000) / 10}"
    when = at - timedelta(days=draw.randrange(400))
    return Entry(
        key=f"{kind}/{place}",
        record_class=kind,
        resource_type=_TYPES[kind],
        resource_place=place,
        source=f"{draw.randrange(10**12):012d}",
        name=text(draw, 24),
        codings=(
            Coding(
                system="urn:oid:1.2.392.200119.4.504", code=f"{draw.randrange(10**17):017d}", display="HbA1c"
            ),
            Coding(system="http://example.jp/local", code=f"{draw.randrange(10**6)}", display=text(draw, 18)),
        ),
        effective=when.isoformat(),
        effective_at=when,
        issued_at=when,
        facility=FACILITY,
        department="内科",
        author="佐藤 一郎",
        status="final" if result else "active",
        verification=None if result else "confirmed",
        value=Value(text=f"{number} %", number=number, unit="%") if result else None,
        interpretation="N" if result else None,
        reference_range=ReferenceRange(low="4.6", high="6.2") if result else None,
        detail=None if result else text(draw, 40),
    )


def _received(draw: random.Random) -> bytes:
    """Of the size and the kind that was read; nobody reads it here."""
    resources = []
    size = 0
    while size < RECEIVED_BYTES - 900:
        resource = {
            "resourceType": "Observation",
            "id": f"{draw.randrange(10**12):012d}",
            "code": {
                "coding": [{"system": _SYSTEM, "code": str(draw.randrange(10**6))}],
                "text": text(draw, 60),
            },
            "note": [{"text": text(draw, 400)}],
            "valueQuantity": {"value": draw.randrange(1000) / 10, "unit": "%"},
        }
        resources.append({"resource": resource})
        size += len(json.dumps(resource, ensure_ascii=False).encode()) + 16
    return json.dumps(
        {"resourceType": "Bundle", "type": "document", "entry": resources}, ensure_ascii=False
    ).encode()
