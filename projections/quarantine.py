"""Patients whose events one generation cannot apply: they wait in order, everybody else goes on."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from tsuzuri.projections.opening import Poison


@dataclass(frozen=True)
class Quarantined:
    """One patient of one generation, and the event at which it stopped."""

    name: str
    generation: int
    patient_id: UUID
    part: int
    pos: int
    event_id: UUID
    topic: str
    step: str
    fault: str  # the kind of error
    quarantined_at: datetime
    attempts: int


def quarantine(connection: Connection[Any], name: str, generation: int, poisons: Iterable[Poison]) -> None:
    """Set the owners of these events aside, from these events on."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO projection_quarantine AS q
                   (name, generation, patient_id, part, pos, event_id, topic, step, fault)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (name, generation, patient_id) DO UPDATE
               SET pos = excluded.pos, event_id = excluded.event_id, topic = excluded.topic, step = excluded.step,
                   fault = excluded.fault, attempts = q.attempts + 1""",
            [
                (
                    name,
                    generation,
                    poison.logged.patient_id,
                    poison.logged.part,
                    poison.logged.pos,
                    poison.logged.event_id,
                    poison.logged.topic,
                    poison.step,
                    poison.fault,
                )
                for poison in poisons
            ],
        )


def release(connection: Connection[Any], name: str, generation: int, owner: UUID) -> None:
    connection.execute(
        "DELETE FROM projection_quarantine WHERE name = %s AND generation = %s AND patient_id = %s",
        (name, generation, owner),
    )


def waiting(connection: Connection[Any], name: str, generation: int) -> set[UUID]:
    """Whose events are passed over."""
    found = connection.execute(
        "SELECT patient_id FROM projection_quarantine WHERE name = %s AND generation = %s", (name, generation)
    )
    return {owner for (owner,) in found.fetchall()}


def skipped(connection: Connection[Any], name: str) -> set[UUID]:
    """Events that an operator had left out, in every generation of a projection."""
    found = connection.execute("SELECT event_id FROM projection_skip WHERE name = %s", (name,))
    return {event_id for (event_id,) in found.fetchall()}


def skip(connection: Connection[Any], name: str, event_id: UUID) -> None:
    connection.execute(
        "INSERT INTO projection_skip (name, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (name, event_id),
    )


def quarantined(
    connection: Connection[Any], name: str | None = None, generations: Collection[int] | None = None
) -> Sequence[Quarantined]:
    """All that wait, the longest first; of one projection, and of some of its generations, when they are named."""
    with connection.cursor(row_factory=class_row(Quarantined)) as cursor:
        return cursor.execute(
            """SELECT name, generation, patient_id, part, pos, event_id, topic, step, fault, quarantined_at, attempts
               FROM projection_quarantine
               WHERE (%(name)s::text IS NULL OR name = %(name)s)
                 AND (%(generations)s::integer[] IS NULL OR generation = ANY (%(generations)s))
               ORDER BY quarantined_at, name, generation, patient_id""",
            {"name": name, "generations": None if generations is None else list(generations)},
        ).fetchall()
