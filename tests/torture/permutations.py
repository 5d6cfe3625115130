"""Bundles delivered once or many times, in any order that keeps the order under each key: always the same index.

The decisions and the folds are the real ones, in memory; what is compared is what is in force, by its content.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from uuid import UUID

import orjson

from examples import CLINIC, HOSPITAL, a_bundle
from fhir_examples import CORE_LABO, a_collection, a_document, a_resource, coded, institution, quantity
from torture.harness import Outcome, Torture
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.events import BundleAccepted, Event, Unit
from tsuzuri.domain.fhir.bundle import read_bundle
from tsuzuri.domain.record import Reading
from tsuzuri.domain.registrations import (
    Intake,
    PatientRecord,
    Registration,
    evolve,
    hiding_marks,
    marked_at,
    outcome,
    register,
)
from tsuzuri.domain.units import dump_document, dump_entries
from tsuzuri.projections import patient_summary, record_index
from tsuzuri.projections.patient_summary import SummaryRow
from tsuzuri.projections.record_rows import DocumentRow, EntryRow
from tsuzuri.projections.rows import Recorded, Rows

PERMUTATIONS = 5_000
TIMES_MOST = 5
PATIENT = UUID(int=1, version=4)
NAMES = {"20065011": "上腹部痛", "20054092": "発熱", "20051881": "咳", "20071111": "膵癌"}
_CODES = Codes(built_in())
Sent = tuple[bytes, Reading]
"""A Bundle as it is sent, and what it says: read once, for reading it does not depend on the order."""


def _conditions(facility: str, local_id: str, minute: int, codes: str, marked: str = "") -> bytes:
    every = list(NAMES)
    return a_bundle(
        facility=facility,
        local_id=local_id,
        timestamp=f"2026-11-20T10:{minute:02}:00+09:00",
        conditions={every[int(n)]: NAMES[every[int(n)]] for n in codes},
        flags={every[int(n)]: "UNINFORMED" for n in marked},
    )


def _allergies(local_id: str, minute: int, *names: str) -> bytes:
    found = [
        a_resource(
            "AllergyIntolerance", code={"text": name}, category=["food"], extension=[institution(CLINIC)]
        )
        for name in names
    ]
    tag = {
        "system": "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS",
        "code": "AllergyIntolerance",
    }
    return _body(a_collection(*found, meta={"tag": [tag]}), CLINIC, local_id, minute)


def _report(local_id: str, minute: int, value: float) -> bytes:
    result = a_resource(
        "Observation",
        code=coded(CORE_LABO, "3D0460000001906202", "HbA1c"),
        valueQuantity=quantity(value, "%"),
        effectiveDateTime=f"2026-11-{minute + 1:02}",
        extension=[institution(CLINIC)],
    )
    return _body(a_collection(result), CLINIC, local_id, minute)


def _referral(local_id: str, minute: int, *names: str) -> bytes:
    found = [a_resource("Condition", code={"text": name}, extension=[institution(CLINIC)]) for name in names]
    return _body(a_document(*found), CLINIC, local_id, minute)


def _body(bundle: dict[str, object], facility: str, local_id: str, minute: int) -> bytes:
    bundle |= {
        "identifier": {"system": "urn:sample", "value": f"{facility}^2026^{local_id}"},
        "timestamp": f"2026-11-20T10:{minute:02}:00+09:00",
    }
    body = orjson.dumps(bundle)
    return body.replace(b"1310000001", facility.encode())


KEYS: Sequence[Sequence[bytes]] = (
    (_conditions(CLINIC, "set-1", 1, "01"), _conditions(CLINIC, "set-1", 2, "012")),
    (_conditions(CLINIC, "set-2", 3, "03", marked="3"), _conditions(CLINIC, "set-2", 9, "03")),
    (_conditions(CLINIC, "set-3", 7, "13", marked="1"),),
    (_conditions(HOSPITAL, "set-1", 5, "03"), _conditions(HOSPITAL, "set-1", 4, "2")),
    (_allergies("a-1", 2, "そば", "えび"), _allergies("a-1", 6, "そば")),
    (_allergies("a-2", 4, "かに"),),
    (_report("lab-1", 1, 6.1), _report("lab-1", 2, 6.2)),
    (_report("lab-2", 3, 6.9),),
    (_referral("r-1", 8, "胃炎"), _referral("r-1", 11, "胃炎", "貧血")),
    (_referral("r-2", 2, "肺炎"),),
)
"""Under each key what its facility sends, in order. The sets' newest words come first, last and in between."""


def sent() -> list[list[Sent]]:
    return [[(body, read_bundle(body)) for body in versions] for versions in KEYS]


def deliveries(keys: Sequence[Sequence[Sent]], random: Random) -> list[Sent]:
    """Each Bundle once to five times; under one key none comes for the first time before the one before it."""
    queues = [list(versions) for versions in keys]
    waiting: list[Sent] = []
    again: list[Sent] = []
    while any(queues) or again:
        first = [queue for queue in queues if queue]
        if first and (not again or random.random() < 0.6):
            one = random.choice(first).pop(0)
            again += [one] * random.randrange(TIMES_MOST)
        else:
            one = again.pop(random.randrange(len(again)))
        waiting.append(one)
    return waiting


class Life:
    """One patient to whom Bundles come, and what two projections make of it."""

    def __init__(self, *, by_arrival: bool = False) -> None:
        self._by_arrival = by_arrival
        self.record = PatientRecord(PATIENT)
        self.index, self.summary = Rows(), Rows()
        self._ids = (UUID(int=n, version=4) for n in count(1_000))

    def take(self, body: bytes, reading: Reading) -> None:
        digest = sha256(body).hexdigest()
        told = outcome(self.record, reading.document, digest)
        if told not in (Registration.REGISTERED, Registration.REPLACED):
            return
        by_class = defaultdict(list)
        for entry in reading.entries:
            by_class[entry.record_class].append(entry)
        head = next(self._ids)
        payloads = {head: dump_document(reading.document)}
        units = []
        for record_class, entries in by_class.items():
            unit = next(self._ids)
            payloads[unit] = dump_entries(entries)
            units.append(Unit(record_class=record_class, payload=unit, sha256="", entries=len(entries)))
        intake = Intake(
            received=next(self._ids),
            received_sha256=digest,
            received_bytes=len(body),
            head=head,
            units=tuple(units),
            sender="system",
            rules=reading.rules,
            hides=hiding_marks(reading.entries),
            marked_at=marked_at(reading.entries),
        )
        self.fold(register(self.record, reading.document, intake, event_id=next(self._ids)), payloads)

    def fold(self, event: BundleAccepted, payloads: dict[UUID, bytes]) -> None:
        self.record = evolve(self.record, event)  # type: ignore[arg-type]  # an accepted Bundle is one of its events
        version = self.record.version
        now = datetime(2026, 11, 21, 0, version, tzinfo=UTC)
        said = replace(event, timestamp=now) if self._by_arrival else event
        for module, rows in ((record_index, self.index), (patient_summary, self.summary)):
            asked = {payload: payloads[payload] for payload in module.payloads(said)}
            recorded: Recorded[Event] = Recorded(said, PATIENT, 0, version, now, asked, _CODES)
            module.apply(rows, recorded)

    def in_index(self) -> list[tuple[str, ...]]:
        values = {row.document: row.value for row in self.index.of(DocumentRow)}
        return sorted(
            (row.sender, values[row.document], row.record_class, row.name, row.value or "", *row.flags_now)
            for row in self.index.of(EntryRow)
            if row.to_pos is None
        )

    def in_summary(self) -> list[tuple[str, ...]]:
        return sorted(
            (row.sender, row.record_class, entry["name"], entry["value"] or "", *entry["flags"])
            for row in self.summary.of(SummaryRow)
            if row.in_force
            for entry in orjson.loads(row.entries)
        )


def tormented(permutations: int, keys: Sequence[Sequence[Sent]], *, by_arrival: bool = False) -> Outcome:
    random = Random(seed := int.from_bytes(os.urandom(4)))
    expected: list[tuple[str, ...]] | None = None
    faults: list[str] = []
    delivered = 0
    for number in range(permutations):
        life = Life(by_arrival=by_arrival)
        for body, reading in deliveries(keys, random):
            life.take(body, reading)
            delivered += 1
        found = life.in_index()
        expected = found if expected is None else expected
        if found != expected:
            faults.append(f"permutation {number} gives {len(set(found) ^ set(expected))} other entries")
        summed = sorted((one[0], *one[2:]) for one in found if one[2] in patient_summary.READY_CLASSES)
        if life.in_summary() != summed:
            faults.append(f"permutation {number}: the summary is not what the index has")
    done = f"{permutations:,} permutations (seed {seed}), {delivered:,} deliveries, {len(expected or ())} entries"
    return Outcome(done, faults)


def run(_: Path, share: float) -> Outcome:
    return tormented(round(PERMUTATIONS * share), sent())


def arriving(_: Path, share: float) -> Outcome:
    """What a facility says would count from when it arrives."""
    return tormented(round(PERMUTATIONS * share), sent(), by_arrival=True)


TORTURE = Torture("permutations", run, {"what arrives last is the newest": arriving})
