"""Bundles as facilities send them, and what became of them said without ids, so that two logs can be compared."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection

from examples import CLINIC, HOSPITAL, OPERATOR, a_bundle
from log_examples import KEYS, opened_events, opened_payloads, settings_at
from tsuzuri.app.actions.find_patient import sender_digest
from tsuzuri.app.keys import identifier_key
from tsuzuri.domain.events import BundleRefused
from tsuzuri.domain.owners import facility_owner, person_owner
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.eventlog.mapper import ErasedEvent, MappedEvent

Told = RegisteredBundle | Exception
"""What became of a Bundle, or why it was refused."""

OWNERS = (facility_owner, person_owner)
"""Whose streams keep what was refused: the sender's own."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Sent:
    """One Bundle of one Condition; a test states only what matters to it."""

    number: str | None = "00012345:あ:1:01"  # None: the local number alone
    local: str = "P-1"
    facility: str = CLINIC
    local_id: str = "set-1"
    name: str = "試験 花子"
    version: int = 0
    marked: bool = False
    damaged: bool = False

    def body(self) -> bytes:
        tree: dict[str, Any] = json.loads(
            a_bundle(
                facility=self.facility,
                local_id=self.local_id,
                number=self.number or "00000000:::",
                name=self.name,
                timestamp=f"2026-11-20T10:00:{self.version:02}+09:00",
                flags={"20065011": "UNINFORMED"} if self.marked else None,
            )
        )
        identifiers = tree["entry"][0]["resource"]["identifier"]
        identifiers[0]["value"] = self.local
        if self.number is None:
            del identifiers[1]
        body = orjson.dumps(tree)
        return body[:-9] if self.damaged else body


class _Names:
    """Names for ids: patients by when they are first told of, all else by what it is."""

    def __init__(self, told: Sequence[Told]) -> None:
        patients = dict.fromkeys(one.patient for one in told if isinstance(one, RegisteredBundle))
        self.names = {patient: f"patient {number}" for number, patient in enumerate(patients)}

    def of(self, text: str) -> str:
        """The text with names in place of ids. An id that has none is a fault."""
        return _UUID.sub(lambda found: self.names[UUID(found.group())], text)


def outcomes(told: Sequence[Told]) -> list[tuple[str, ...]]:
    """What the senders are told, in order."""
    names = _Names(told)
    return [
        (one.outcome, names.names[one.patient], one.kind, str(one.entries), *one.warnings)
        if isinstance(one, RegisteredBundle)
        else (type(one).__name__, str(one))
        for one in told
    ]


def canonical(connection: Connection[Any], told: Sequence[Told]) -> dict[str, Any]:
    """All that is kept: events, payloads, keys by use, numbers and guards. Apart from ids, places, times and seals."""
    names = _Names(told)
    names.names |= {owner(own): own for own in (CLINIC, HOSPITAL, OPERATOR.person) for owner in OWNERS}
    bodies = opened_payloads(connection)
    names.names |= {payload: sha256(body).hexdigest() for payload, body in bodies.items()}
    events = opened_events(connection)
    states: list[dict[str, Any]] = [json.loads(event.state) for event in events]
    names.names |= {_owner(event): "the sender" for event in events if event.topic == BundleRefused.TOPIC}
    for event, state in zip(events, states, strict=True):
        if event.topic == BundleRefused.TOPIC:
            names.names[UUID(str(event.originator_id).partition("/")[0])] = f"sender {state['sender']}"
        name = names.of(str(event.originator_id))
        names.names[event.event_id] = f"{name} {event.originator_version}"
        if "document" in state:
            names.names[UUID(state["document"])] = f"{name} {state['facility']} {state['value']}"
    told_events = [
        (names.names[event.event_id], event.topic, names.of(json.dumps(state, sort_keys=True)))
        for event, state in zip(events, states, strict=True)
    ]
    numbers = connection.execute("SELECT encode(digest, 'hex'), patient_id::text FROM identifier").fetchall()
    senders = _senders({state["facility"] for state in states if state.get("facility")}, numbers)
    guards = connection.execute(
        "SELECT e.event_id FROM patient_head h JOIN event e ON e.part = h.part AND e.pos = h.guard_pos"
    ).fetchall()
    keys = connection.execute("SELECT patient_id::text, use FROM data_key").fetchall()
    return {
        "events": sorted(told_events),
        "payloads": Counter(names.names[payload] for payload in bodies),
        "documents": sorted(names.names[one.document] for one in told if isinstance(one, RegisteredBundle)),
        "numbers": sorted((senders.get(digest, digest), names.of(patient)) for digest, patient in numbers),
        "guards": sorted(names.names[event] for (event,) in guards),
        "keys": Counter((names.of(owner), use) for owner, use in keys),
    }


def _senders(facilities: set[str], numbers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What says that a facility has registered something of a patient, which hangs on her id."""
    key = identifier_key(settings_at(KEYS))
    return {
        sender_digest(key, facility, UUID(patient)).hex(): f"registered by {facility}"
        for facility in facilities
        for _, patient in numbers
    }


def _owner(event: MappedEvent | ErasedEvent) -> UUID:
    return UUID(str(event.originator_id).partition("/")[0])
