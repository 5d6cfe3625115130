"""Writes as the append function takes them: sealed, in rows, and many of them in one call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from itertools import groupby
from typing import Any
from uuid import UUID

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Write, split
from tsuzuri.eventlog.data_keys import STREAM_USES, KeyRing, KeyUse, WrappedKey, new_key
from tsuzuri.eventlog.packed_parameters import BOOL, BYTEA, INT2, INT4, INT8, TEXT, UUIDS, Column, Packed
from tsuzuri.eventlog.places import Place, Stored, part_of
from tsuzuri.eventlog.sealed_events import about_event, seal_consents, seal_event, seal_payload


@dataclass(frozen=True)
class _Group:
    """Arrays of the append function that go together, by the names of its parameters."""

    columns: Mapping[str, Column]

    def packed(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, Packed]:
        values = zip(*rows, strict=True)
        return {
            name: column.pack(each) for (name, column), each in zip(self.columns.items(), values, strict=True)
        }


_EVENTS = _Group(
    {
        "event_ids": UUIDS,
        "owners": UUIDS,
        "streams": INT2,
        "versions": INT8,
        "topics": TEXT,
        "key_ids": UUIDS,
        "states": BYTEA,
        "narrowing": BOOL,
    }
)
_PLAIN = (INT2, *list(_EVENTS.columns.values())[:-1])
_PLAIN_STATEMENT = b"SELECT bases, moment FROM append_event($1, $2, $3, $4, $5, $6, $7, $8)"
_HEADS = _Group({"heads": INT2, "counts": INT4})
_GUARDS = _Group(
    {"guard_members": INT4, "guard_parts": INT2, "guard_patients": UUIDS, "guard_positions": INT8}
)
_CONSENTS = _Group(
    {"consent_parts": INT2, "consent_patients": UUIDS, "consent_keys": UUIDS, "consent_states": BYTEA}
)
_PAYLOADS = _Group(
    {
        "payload_parts": INT2,
        "payload_owners": UUIDS,
        "payload_ids": UUIDS,
        "payload_keys": UUIDS,
        "payload_sizes": INT4,
        "payload_bodies": BYTEA,
    }
)
_CLAIMS = _Group({"claim_digests": BYTEA, "claim_patients": UUIDS})
_FINDABLE = _Group({"blind_digests": BYTEA, "blind_patients": UUIDS})
_NEW_KEYS = _Group(
    {
        "new_key_parts": INT2,
        "new_key_ids": UUIDS,
        "new_key_owners": UUIDS,
        "new_key_uses": TEXT,
        "new_key_epochs": INT4,
        "new_key_wrapped": BYTEA,
    }
)

STORED = b"""
    SELECT n.part, e.pos, e.recorded_at, n.event_id, e.patient_id, e.stream, e.version
    FROM unnest(%b, %b) AS n (part, event_id) CROSS JOIN LATERAL (
        SELECT * FROM event e WHERE e.part = n.part AND e.event_id = n.event_id OFFSET 0
    ) AS e
"""

KEYS_IN_FORCE = b"""
    SELECT k.key_id, k.patient_id, k.use, k.epoch, k.wrapped
    FROM unnest(%b, %b, %b) AS n (part, patient_id, use) CROSS JOIN LATERAL (
        SELECT * FROM data_key k WHERE k.part = n.part AND k.patient_id = n.patient_id AND k.use = n.use
        AND k.wrapped IS NOT NULL AND k.use IN ('record', 'consent', 'access') OFFSET 0
    ) AS k
"""


@dataclass(frozen=True)
class SealedWrite:
    """The rows of one write, in the order of their arrays."""

    events: Sequence[tuple[Any, ...]]
    guards: Sequence[tuple[Any, ...]] = ()
    consents: Sequence[tuple[Any, ...]] = ()
    payloads: Sequence[tuple[Any, ...]] = ()
    claims: Sequence[tuple[Any, ...]] = ()
    findable: Sequence[tuple[Any, ...]] = ()
    new_keys: Sequence[WrappedKey] = field(default_factory=tuple)

    @property
    def is_plain(self) -> bool:
        """One event, and nothing beside it."""
        claimed = self.claims or self.findable
        beside = self.guards or self.consents or self.payloads or claimed or self.new_keys
        return len(self.events) == 1 and not beside and not self.events[0][-1]

    @cached_property
    def bytes(self) -> int:
        """What it weighs, nearly."""
        return sum(len(event[7]) for event in self.events) + sum(len(payload[5]) for payload in self.payloads)


def key_parameters(streams: Iterable[tuple[UUID, KeyUse]], parts: int) -> list[Packed]:
    """The arrays of KEYS_IN_FORCE."""
    rows = [(part_of(owner, parts), owner, use) for owner, use in streams]
    return [
        column.pack(each) for column, each in zip((INT2, UUIDS, TEXT), zip(*rows, strict=True), strict=True)
    ]


def seal_write(write: Write, ring: KeyRing, parts: int) -> SealedWrite:
    """Seal under the keys of the ring, which has looked up those of all of the write's streams."""
    beside = write.beside
    new_keys: dict[UUID, WrappedKey] = {}
    events = []
    for event in write.events:
        owner, stream = split(event.originator_id)
        key = ring.of_stream(owner, STREAM_USES[stream])
        if not key.stored and key.key_id not in new_keys:
            new_keys[key.key_id] = ring.wrapped(key, owner, STREAM_USES[stream])
        sections = [event.state] if event.apart is None else [event.state, event.apart]
        about = about_event(event.event_id, owner, stream, event.topic)
        events.append(
            (
                part_of(owner, parts),
                event.event_id,
                owner,
                stream.value,
                None if stream is Stream.ACCESS else event.originator_version,
                event.topic,
                key.key_id,
                seal_event(key.secret, event.event_id, sections, about),
                beside.narrows and stream is not Stream.ACCESS,
            )
        )
    owner = write.owner
    part = part_of(owner, parts)
    consents = []
    if beside.consents is not None:
        key = ring.of_stream(owner, KeyUse.CONSENT)
        if not key.stored:
            new_keys[key.key_id] = ring.wrapped(key, owner, KeyUse.CONSENT)
        consents.append((part, owner, key.key_id, seal_consents(key.secret, owner, beside.consents)))
    payloads = []
    made = {payload.key_id: new_key(payload.key_id) for payload in beside.payloads}
    for payload in beside.payloads:
        new_keys[payload.key_id] = ring.wrapped(made[payload.key_id], owner, payload.use)
        body = seal_payload(made[payload.key_id].secret, payload.payload_id, payload.body)
        payloads.append((part, owner, payload.payload_id, payload.key_id, len(payload.body), body))
    return SealedWrite(
        events=events,
        guards=[(part_of(guard.patient, parts), guard.patient, guard.guard_pos) for guard in beside.guards],
        consents=consents,
        payloads=payloads,
        claims=[(claim.digest, claim.patient) for claim in beside.claims],
        findable=[(one.digest, one.patient) for one in beside.findable],
        new_keys=tuple(new_keys.values()),
    )


@dataclass(frozen=True)
class Call:
    """The call of the append function for some writes, and what its answer means for them."""

    statement: bytes
    parameters: Sequence[Packed | None]
    heads: Sequence[tuple[int, int]]  # the parts written to, ascending, and how many events go to each
    order: Sequence[int]  # the events of the writes by number, in the order they are sent: by part
    sizes: Sequence[int]  # how many events each write has

    def places(self, bases: Sequence[int], moment: datetime) -> list[list[Stored]]:
        """Where the events of each write lie, in their order."""
        sent = (
            Place(part, base + place)
            for (part, count), base in zip(self.heads, bases, strict=True)
            for place in range(1, count + 1)
        )
        by_number = dict(zip(self.order, sent, strict=True))
        numbers = iter(range(len(self.order)))
        return [[Stored(by_number[next(numbers)], moment) for _ in range(size)] for size in self.sizes]


def call(writes: Sequence[SealedWrite], parts: int) -> Call:
    """One transaction for all of them. What there is none of is not sent, so a plain append is a short message."""
    if len(writes) == 1 and writes[0].is_plain:
        event = writes[0].events[0]
        values = [column.pack_one(value) for column, value in zip(_PLAIN, event[:-1], strict=True)]
        return Call(_PLAIN_STATEMENT, values, heads=[(event[0], 1)], order=[0], sizes=[1])
    events = [event for write in writes for event in write.events]
    order = sorted(
        range(len(events)), key=lambda number: events[number][0]
    )  # the function wants them by part
    heads = [(part, len(list(same))) for part, same in groupby(events[number][0] for number in order)]
    keys = {
        key.key_id: key for write in writes for key in write.new_keys
    }  # several writes may bring the same
    new_keys = [
        (part_of(key.owner, parts), key.key_id, key.owner, key.use, key.epoch, key.wrapped)
        for key in keys.values()
    ]
    arrays = _HEADS.packed(heads) | _EVENTS.packed([events[number][1:] for number in order])
    for group, rows in (
        (_GUARDS, [(number, *guard) for number, write in enumerate(writes) for guard in write.guards]),
        (_CONSENTS, [row for write in writes for row in write.consents]),
        (_PAYLOADS, [row for write in writes for row in write.payloads]),
        (_CLAIMS, [row for write in writes for row in write.claims]),
        (_FINDABLE, [row for write in writes for row in write.findable]),
        (_NEW_KEYS, new_keys),
    ):
        if rows:
            arrays |= group.packed(rows)
    sizes = [len(write.events) for write in writes]
    return Call(_statement(tuple(arrays)), list(arrays.values()), heads, order, sizes)


@cache
def _statement(names: tuple[str, ...]) -> bytes:
    named = ", ".join(f"{name} => ${place}" for place, name in enumerate(names, start=1))
    return f"SELECT bases, moment FROM append_events({named})".encode()


def stored_parameters(writes: Sequence[SealedWrite]) -> list[Packed]:
    """The arrays of STORED."""
    rows = [event[:2] for write in writes for event in write.events]
    return [column.pack(each) for column, each in zip((INT2, UUIDS), zip(*rows, strict=True), strict=True)]


def stored_already(
    writes: Sequence[SealedWrite], rows: Sequence[tuple[Any, ...]]
) -> list[list[Stored] | None]:
    """Where each write lies, by the rows of STORED; None for one that is not there, or not whole.

    An event of the same id that belongs elsewhere is somebody else's.
    """
    found = {tuple(said): Stored(Place(part, pos), moment) for part, pos, moment, *said in rows}
    places = [[found.get(event[1:5]) for event in write.events] for write in writes]
    return [[one for one in each if one is not None] if None not in each else None for each in places]
