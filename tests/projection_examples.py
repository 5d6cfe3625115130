"""Projections brought to the log's head, and their live rows as objects."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from examples import CLINIC, a_caller
from log_examples import a_ring, parts
from tsuzuri.domain.vocabulary import Role
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.comparing import Comparison
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.patient_summary import READY_CLASSES, SummaryRow
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.record_rows import EntryRow
from tsuzuri.projections.rows import Row

R = TypeVar("R", bound=Row)

SENDER = a_caller(
    person="operator-ono", role=Role.OPERATOR
)  # brings in any facility's Bundles, on its behalf
BUNDLE_SYSTEM = "http://jpfhir.jp/fhir/clins/bundle-identifier"


def bundle_value(local_id: str, facility: str = CLINIC) -> str:
    """Bundle.identifier.value as `examples.a_bundle` writes it."""
    return f"{facility}^2026^{local_id}"


def an_engine(batch_events: int = 1_000) -> Engine:
    return Engine(event_mapper(), a_ring(), batch_events=batch_events)


def catch_up(connection: Connection[Any], *, batch_events: int = 1_000) -> None:
    """Bring every live generation to the log's head."""
    for projection in PROJECTIONS.values():
        live = live_generation(connection, projection.name)
        an_engine(batch_events).catch_up(connection, projection, live)


def rebuilt(connection: Connection[Any], projection: Projection, *, batch_events: int = 1_000) -> Comparison:
    """The live generation compared with one that is made from the first event on, and that is live if it is equal."""
    comparison = rebuild(connection, an_engine(batch_events), projection).comparison
    assert comparison is not None
    return comparison


def live_rows(connection: Connection[Any], projection: str, kind: type[R]) -> Sequence[R]:
    """All rows of one table of the live generation, in the order of their keys."""
    schema = PROJECTIONS[projection].schema(live_generation(connection, projection))
    names = SQL(", ").join(Identifier(name) for name in kind.columns())
    keys = SQL(", ").join(Identifier(name) for name in kind.KEY)
    statement = SQL("SELECT {} FROM {} ORDER BY {}").format(names, Identifier(schema, kind.TABLE), keys)
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(statement).fetchall()


def head_of(connection: Connection[Any], patient: UUID) -> int:
    """The last position of the patient's part."""
    row = connection.execute(
        "SELECT pos FROM part_head WHERE part = %s", (patient.int % parts(connection),)
    ).fetchone()
    assert row is not None
    return int(row[0])


Groups = Mapping[tuple[UUID, str, frozenset[str]], set[str]]
"""Patient, class and marks → ids of entries."""


def current_by_index(connection: Connection[Any]) -> Groups:
    """The entries of the ready-made classes that are in force, as the record index has them."""
    groups: dict[tuple[UUID, str, frozenset[str]], set[str]] = defaultdict(set)
    for row in live_rows(connection, "record_index", EntryRow):
        if row.to_pos is None and row.cancelled_by is None and row.record_class in READY_CLASSES:
            groups[row.patient_id, row.record_class, frozenset(row.flags_now)].add(str(row.entry))
    return groups


def current_by_summary(connection: Connection[Any]) -> Groups:
    """The same, as the patient summary has them: each entry once, and no group without any."""
    groups: dict[tuple[UUID, str, frozenset[str]], set[str]] = defaultdict(set)
    for row in live_rows(connection, "patient_summary", SummaryRow):
        if not row.in_force:
            continue
        ids = [entry["id"] for entry in orjson.loads(row.entries)]
        group = groups[row.patient_id, row.record_class, frozenset(row.flags)]
        assert ids and len(set(ids)) == len(ids) and group.isdisjoint(ids)
        group.update(ids)
    return groups
