"""Records of many kinds, and readings of them on grounds of every kind."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from emergency_examples import by_id, declared, entitled
from examples import DOCTOR, OPERATOR
from oracle.asking import live
from oracle.patients import in_trouble, of_the_sample
from projection_examples import head_of
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.patient_summary import VIEW as SUMMARIES
from tsuzuri.projections.record_index import DOCUMENTS, ENTRIES
from tsuzuri.projections.sight import Sight
from tsuzuri.projections.view import View
from world import World

GUARDED = {"entry": ENTRIES, "document": DOCUMENTS, "summary": SUMMARIES}
"""Table → as readers see it: those of which a decision lets see one row and not another."""
LINK = """mutation($survivor: ID!, $other: ID!) {
  linkPatients(survivor: $survivor, other: $other, reason: "確認済") }"""


async def recorded(world: World, patients: int, random: Random) -> list[list[UUID]]:
    """Bundles sent, marked, taken back and put back, an emergency; the first two patients are one person. Their ids."""
    lives = list(in_trouble(of_the_sample(patients), random))
    await live(world, lives)
    ids = [one.patient for one in lives if one.patient is not None]
    await world.data(OPERATOR, LINK, survivor=str(ids[0]), other=str(ids[1]))
    await entitled(world)
    await declared(world, DOCTOR, by_id(ids[2]))
    world.project()
    return [ids[:2], *([one] for one in ids[2:])]


def schema_of(connection: Connection[Any], table: str) -> str:
    """Where the live generation has it."""
    name = "patient_summary" if table == "summary" else "record_index"
    return PROJECTIONS[name].schema(live_generation(connection, name))


def sights(
    connection: Connection[Any], persons: Sequence[Sequence[UUID]], number: int, random: Random
) -> Iterator[Sight]:
    """Readings of each person, on one to three grounds, now or some years later."""
    schema = Identifier(schema_of(connection, "document"))
    facilities = _all(connection, SQL("SELECT DISTINCT facility FROM {}.document").format(schema))
    recipients = _all(
        connection,
        SQL("SELECT DISTINCT recipient FROM {}.document WHERE recipient IS NOT NULL").format(schema),
    )
    letters = _all(
        connection, SQL("SELECT document FROM {}.document WHERE recipient IS NOT NULL").format(schema)
    )
    for first, *others in persons:
        for _ in range(number):
            yield Sight(
                patient=first,
                others=tuple((one, head_of(connection, one)) for one in others),
                grounds=tuple(
                    _ground(facilities, recipients, letters, random) for _ in range(random.randint(1, 3))
                ),
                generation=live_generation(connection, "record_index"),
                position=head_of(connection, first),
                decided_at=datetime.now(UTC) + timedelta(days=random.choice((0, 0, 200, 1_000, 2_500))),
            )


def _ground(
    facilities: Sequence[str], recipients: Sequence[str], letters: Sequence[UUID], random: Random
) -> Ground:
    kind = random.choice(("consent", "own", "letters", "letter"))
    return Ground(
        basis=AccessBasis.CONSENT,
        classes=tuple(random.sample(list(RecordClass), random.randint(1, len(RecordClass)))),
        flags=tuple(random.sample(list(Flag), random.randint(0, len(Flag)))),
        sender=random.choice(facilities) if kind == "own" else None,
        recipient=random.choice(recipients) if kind in ("letters", "letter") else None,
        document=random.choice(letters) if kind == "letter" else None,
    )


def _all(connection: Connection[Any], statement: Any) -> list[Any]:
    return sorted(value for (value,) in connection.execute(statement))


def rows(connection: Connection[Any], schema: str, view: View, where: Any) -> set[str]:
    """Where they lie in their table: each row once."""
    statement = SQL("SELECT ctid::text FROM {} WHERE {}").format(Identifier(schema, view.table), where)
    return {place for (place,) in connection.execute(statement)}
