"""What a read begins with, in one look: the heads of all who are the same person, and where the index stands in each.

By keys alone, and the same for whom nobody knows: both cost the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from struct import Struct
from typing import Any
from uuid import UUID

from psycopg.pq.abc import PGresult

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.log import EventLog, PatientHead
from tsuzuri.eventlog.quick_reads import QuickReads
from tsuzuri.projections import facilities, record_index
from tsuzuri.projections.freshness import Freshness, freshness_of, served

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_INT8, _FLOAT8, _INT4, _INT2 = Struct("!q"), Struct("!d"), Struct("!i"), Struct("!h")


@dataclass(frozen=True)
class FirstLook:
    """Of one patient and whoever is the same person, the survivor first."""

    heads: Sequence[PatientHead]
    stands: Mapping[UUID, Freshness]  # of the record index, in one generation
    last: Mapping[UUID, int]  # position of the last event of each one's record; 0: there is none
    facilities: int  # the generation that is served
    registered_here: bool


# Each row is found by its key: joins would be planned for more patients than one, and go through whole tables.
_LOOK = f"""
SELECT m.patient_id, h.guard_pos, h.consents, h.consents_key, k.epoch, k.wrapped,
       g.generation, g.codes, c.pos, q.pos,
       (SELECT e.recorded_at FROM event e WHERE e.part = m.part AND e.pos = least(c.pos, q.pos - 1)),
       (SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8
        FROM event e WHERE e.part = m.part AND e.pos = least(c.pos, q.pos - 1) + 1),
       {served("$5", "$6")},
       EXISTS (SELECT FROM identifier i
               WHERE i.digest = asked.digest AND i.valid_to IS NULL AND i.patient_id = m.patient_id),
       (SELECT e.pos FROM event e WHERE e.part = m.part AND e.patient_id = m.patient_id AND e.stream = $8
        ORDER BY e.version DESC LIMIT 1),
       asked.place, a.key_id, a.epoch, a.wrapped
FROM asked
LEFT JOIN patient_head own USING (part, patient_id)
CROSS JOIN LATERAL (
    SELECT * FROM unnest(own.linked_parts, own.linked) WITH ORDINALITY AS l (part, patient_id, place)
    UNION ALL SELECT asked.part, asked.patient_id, 1 WHERE coalesce(own.linked, '{{}}') = '{{}}'
) AS m
LEFT JOIN LATERAL (
    SELECT * FROM patient_head h WHERE h.part = m.part AND h.patient_id = m.patient_id LIMIT 1
) AS h ON true
LEFT JOIN LATERAL (
    SELECT k.epoch, k.wrapped FROM data_key k WHERE k.part = h.part AND k.key_id = h.consents_key LIMIT 1
) AS k ON true
LEFT JOIN LATERAL (
    SELECT k.key_id, k.epoch, k.wrapped FROM data_key k
    WHERE k.part = m.part AND k.patient_id = m.patient_id AND k.use = 'access' AND k.wrapped IS NOT NULL LIMIT 1
) AS a ON true
LEFT JOIN projection_generation g ON g.name = $3 AND g.generation = {served("$3", "$4")}
LEFT JOIN LATERAL (
    SELECT c.pos FROM projection_checkpoint c
    WHERE c.name = $3 AND c.generation = g.generation AND c.part = m.part LIMIT 1
) AS c ON true
LEFT JOIN LATERAL (
    SELECT q.pos FROM projection_quarantine q
    WHERE q.name = $3 AND q.generation = g.generation AND q.patient_id = m.patient_id LIMIT 1
) AS q ON true
ORDER BY asked.place, m.place
"""
_OF_ONE = f"""WITH asked AS NOT MATERIALIZED
    (SELECT $1::smallint AS part, $2::uuid AS patient_id, $7::bytea AS digest, 1::bigint AS place){_LOOK}"""
_OF_MANY = f"""WITH asked AS NOT MATERIALIZED
    (SELECT * FROM unnest($1::smallint[], $2::uuid[], $7::bytea[]) WITH ORDINALITY
     AS a (part, patient_id, digest, place)){_LOOK}"""


async def first_look(reads: QuickReads, log: EventLog, patient: UUID, registered_by: bytes) -> FirstLook:
    """*registered_by*: the digest by which the caller's facility would have registered her; empty for no facility.

    Raises psycopg.Error, ProjectionOutdated.
    """
    found = await reads.fetch(_OF_ONE, _values(log.part_of(patient), patient, registered_by), binary=True)
    return _first_look(log, [_Row(found, number) for number in range(found.ntuples)])


async def first_looks(
    reads: QuickReads, log: EventLog, asked: Sequence[tuple[UUID, bytes]]
) -> list[FirstLook]:
    """As `first_look`, of each patient with her digest, in their order and in one statement."""
    parts = [log.part_of(patient) for patient, _ in asked]
    values = _values(parts, [patient for patient, _ in asked], [digest for _, digest in asked])
    found = await reads.fetch(_OF_MANY, values, binary=True)
    rows = [_Row(found, number) for number in range(found.ntuples)]
    return [_first_look(log, list(of_one)) for _, of_one in groupby(rows, lambda row: row.int8(15))]


def _values(parts: Any, patients: Any, digests: Any) -> tuple[Any, ...]:
    index, places = record_index, facilities
    named = (index.NAME, index.VERSION, places.NAME, places.VERSION)
    return (parts, patients, *named, digests, Stream.RECORD.value)


def _first_look(log: EventLog, rows: Sequence["_Row"]) -> FirstLook:
    heads = [
        log.opened_head(
            row.uuid(0), row.int8(1), row.bytes(2), row.uuid_or_none(3), row.int4(4), row.bytes(5)
        )
        for row in rows
    ]
    for row in rows:
        log.know_access_key(row.uuid(0), row.uuid_or_none(16), row.int4(17), row.bytes(18))
    return FirstLook(
        heads=heads,
        stands={head.patient: row.freshness() for head, row in zip(heads, rows, strict=True)},
        facilities=rows[0].int4(12) or 0,
        last={head.patient: row.int8(14) or 0 for head, row in zip(heads, rows, strict=True)},
        registered_here=any(row.true(13) for row in rows),
    )


class _Row:
    """One row, in PostgreSQL's own form."""

    __slots__ = ("_number", "_result")

    def __init__(self, result: PGresult, number: int) -> None:
        self._result, self._number = result, number

    def bytes(self, column: int) -> bytes | None:
        return self._result.get_value(self._number, column)

    def uuid(self, column: int) -> UUID:
        return UUID(bytes=self._result.get_value(self._number, column))

    def uuid_or_none(self, column: int) -> UUID | None:
        value = self._result.get_value(self._number, column)
        return None if value is None else UUID(bytes=value)

    def int8(self, column: int) -> int | None:
        value = self._result.get_value(self._number, column)
        return None if value is None else int(_INT8.unpack(value)[0])

    def int4(self, column: int) -> int | None:
        value = self._result.get_value(self._number, column)
        return None if value is None else int(_INT4.unpack(value)[0])

    def true(self, column: int) -> bool:
        return self._result.get_value(self._number, column) == b"\1"

    def freshness(self) -> Freshness:
        """The columns 6 to 11."""
        codes, recorded, lag = self.bytes(7), self.int8(10), self.bytes(11)
        quarantined = self.int8(9)
        position = self.int8(8) or 0
        return freshness_of(
            record_index.NAME,
            generation=self.int4(6),
            codes="" if codes is None else codes.decode(),
            position=position if quarantined is None else min(position, quarantined - 1),
            quarantined=quarantined is not None,
            recorded_at=None if recorded is None else _EPOCH + timedelta(microseconds=recorded),
            lag=None if lag is None else float(_FLOAT8.unpack(lag)[0]),
        )
