"""Rows of the record index laid down by hand, and what a sight lets through of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Placeholder

from examples import CLINIC, NOON, PATIENT
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass
from tsuzuri.projections.sight import Sight

SCHEMA = "record_index_g1"
POSITION = 10
A_MONTH = timedelta(days=30)


def lay(connection: Connection[Any], table: str, **columns: Any) -> None:
    connection.execute(
        SQL("INSERT INTO {} ({}) VALUES ({})").format(
            Identifier(SCHEMA, table),
            SQL(", ").join(Identifier(name) for name in columns),
            SQL(", ").join(Placeholder(name) for name in columns),
        ),
        columns,
    )


def an_entry(connection: Connection[Any], name: str, **columns: Any) -> None:
    """A diagnosis that the clinic registered a month ago and that is in force."""
    usual: dict[str, Any] = {
        "patient_id": PATIENT,
        "entry": uuid4(),
        "from_pos": 5,
        "registered_at": NOON - A_MONTH,
        "document": uuid4(),
        "document_kind": "CONDITIONS",
        "unit": uuid4(),
        "record_class": RecordClass.CONDITION,
        "resource_type": "Condition",
        "resource_place": 1,
        "sender": CLINIC,
        "scope": "",
        "stated_at": NOON - A_MONTH,
        "standing": "IN_FORCE",
        "fact": name,
        "name": name,
        "codings": "[]",
        "codes": [],
        "sort_at": NOON - A_MONTH,
        "facility": "0000000000",  # whom it names is not who registered it
        "flags": [],
        "flags_now": [],
    }
    lay(connection, "entry", **usual | columns)


def a_document(connection: Connection[Any], title: str, **columns: Any) -> None:
    usual: dict[str, Any] = {
        "patient_id": PATIENT,
        "document": uuid4(),
        "from_pos": 5,
        "registered_at": NOON - A_MONTH,
        "event_id": uuid4(),
        "kind": "DISCHARGE_SUMMARY",
        "record_class": RecordClass.DISCHARGE_SUMMARY,
        "flags_now": [],
        "facility": CLINIC,
        "title": title,
        "system": "urn:sample",
        "value": title,
        "timestamp": NOON - A_MONTH,
        "attachments": "[]",
        "received": uuid4(),
        "sort_at": NOON - A_MONTH,
    }
    lay(connection, "document", **usual | columns)


def a_ground(**changes: Any) -> Ground:
    usual: dict[str, Any] = {
        "basis": AccessBasis.CONSENT,
        "classes": tuple(RecordClass),
        "flags": (Flag.LTS, Flag.UNINFORMED),
    }
    return Ground(**usual | changes)


def a_sight(*grounds: Ground, **changes: Any) -> Sight:
    usual: dict[str, Any] = {
        "patient": PATIENT,
        "grounds": grounds or (a_ground(),),
        "generation": 1,
        "position": POSITION,
        "decided_at": NOON,
    }
    return Sight(**usual | changes)


def entries(connection: Connection[Any], sight: Sight, *, schema: str | None = SCHEMA) -> set[str]:
    return _shown(connection, "entry", "name", sight.predicate(history=True, facts=True, schema=schema))


def documents(connection: Connection[Any], sight: Sight) -> set[str]:
    return _shown(connection, "document", "title", sight.predicate(history=True))


def dated_documents(connection: Connection[Any], sight: Sight) -> set[str]:
    """Those of which the date is shown."""
    return _shown(connection, "document", "title", sight.predicate(history=True, dates=True))


def whole(connection: Connection[Any], sight: Sight) -> set[str]:
    with as_reader(connection):
        return _shown(connection, "entry", "name", sight.whole())


@contextmanager
def as_reader(connection: Connection[Any]) -> Iterator[None]:
    """Behind the fence. What is asked outside of this is asked without it, so that it hides no fault of a sight's."""
    with connection.transaction():
        connection.execute("SET LOCAL ROLE tsuzuri_reader")
        yield


def a_patient(number: int) -> UUID:
    return UUID(int=0x44444444000040008000000000000000 + number)


def _shown(connection: Connection[Any], table: str, column: str, where: Any) -> set[str]:
    statement = SQL("SELECT {} FROM {} WHERE {}").format(Identifier(column), Identifier(SCHEMA, table), where)
    return {name for (name,) in connection.execute(statement)}
