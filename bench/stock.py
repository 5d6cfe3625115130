"""The peer: the eventsourcing library's own PostgreSQL recorder as it comes, saving the same content.

Default settings: table lock and NOTIFY in each append, JSON transcoder, its connection pool, its table.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from psycopg.conninfo import conninfo_to_dict

from bench.crew import Write, writing
from bench.rounds import Slice
from bench.samples import STATE_BYTES, Ahead, access, listings


@dataclass(frozen=True)
class StockListed(DomainEvent):
    """What FacilityListed holds."""

    facility: str
    name: str
    kind: str
    municipality: str | None
    municipality_name: str | None
    departments: list[str]
    emergency: bool
    recorded_by: str


@dataclass(frozen=True)
class StockPermitted(DomainEvent):
    """What AccessPermitted holds."""

    patient: str
    told: dict[str, Any]
    audit: dict[str, Any]


class StockApplication(Application[UUID]):
    """The library's, with nothing added."""


def prepared(dsn: str) -> str:
    """The database with the library's table in it: its statements for that cannot run side by side."""
    with opened_stock(dsn, create=True):
        return dsn


def environment(dsn: str, *, create: bool = False) -> dict[str, str]:
    """What the library is told of its database, and nothing else."""
    given = conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "CREATE_TABLE": "y" if create else "n",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": str(given["password"]),
    }


@contextmanager
def opened_stock(dsn: str, *, create: bool = False) -> Iterator[StockApplication]:
    application = StockApplication(env=environment(dsn, create=create))
    try:
        yield application
    finally:
        application.close()


@contextmanager
def saving_one(dsn: str, threads: int = 1) -> Iterator[Slice]:
    """A slice in which each thread saves one facility's entry a commit."""
    with opened_stock(dsn) as application:
        _save_first(application, _listings())
        ahead = [Ahead(_listings()) for _ in range(threads)]
        yield writing([_saver(application, events) for events in ahead], ahead)


@contextmanager
def saving_accesses(dsn: str, threads: int) -> Iterator[Slice]:
    """A slice in which each thread saves one access a commit."""
    with opened_stock(dsn) as application:
        _save_first(application, _accesses())
        ahead = [Ahead(_accesses()) for _ in range(threads)]
        yield writing([_saver(application, events) for events in ahead], ahead)


def _saver(application: StockApplication, events: Iterator[DomainEvent]) -> Write:
    def write() -> int:
        application.save(next(events))
        return 1

    return write


def _save_first(application: StockApplication, events: Iterator[DomainEvent]) -> None:
    """The first event is weighed: both sides must store about as much."""
    event = next(events)
    size = len(application.mapper.to_stored_event(event).state)
    assert STATE_BYTES[0] <= size <= STATE_BYTES[1], f"a state of {size} bytes"
    application.save(event)


def _listings() -> Iterator[StockListed]:
    """The entries of `samples.listings`, as the library's own events."""
    for listed in listings():
        if listed.originator_version == 1:
            owner = uuid4()
        yield StockListed(
            originator_id=owner,
            originator_version=listed.originator_version,
            timestamp=StockListed.create_timestamp(),
            facility=listed.facility,
            name=listed.name,
            kind=listed.kind,
            municipality=listed.municipality,
            municipality_name=listed.municipality_name,
            departments=list(listed.departments),
            emergency=listed.emergency,
            recorded_by=listed.recorded_by,
        )


def _accesses() -> Iterator[StockPermitted]:
    """The accesses of `samples.access`; built beforehand, as plain dictionaries, which the library encodes best."""
    made = [msgspec.to_builtins(access(uuid4())) for _ in range(200)]
    while True:
        chosen = random.choice(made)
        yield StockPermitted(
            originator_id=uuid4(),
            originator_version=1,
            timestamp=StockPermitted.create_timestamp(),
            patient=chosen["patient"],
            told=chosen["told"],
            audit=chosen["audit"],
        )
