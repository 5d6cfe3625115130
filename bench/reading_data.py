"""An installation as large as is asked for, to read from: its projections filled, its log what a decision needs.

Patients who are asked for have consents in the log, facilities are entered there, and the projector has applied both.
What no read asks of the log (a million entries' Bundles) is not there: their rows are written (see reading_rows).
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from bench import reading_rows
from bench.reading_rows import FACILITY_ASKING, Scale, facility_number
from tsuzuri.app.actions.list_facilities import list_facilities
from tsuzuri.app.database import bring_up
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.services import logins_of, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain import consent_state
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import PATIENT, Consents, evolve, grant
from tsuzuri.domain.facilities import Facility
from tsuzuri.domain.vocabulary import FacilityKind, PurposeOfUse, RecordClass, Role
from tsuzuri.eventlog.appending import Beside, Write
from tsuzuri.eventlog.bulk import BulkAppender
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.log import LogApplication
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections import audit_trail, patient_summary, record_index
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.filling import fill, index_when_filled
from tsuzuri.projections.generations import begin_rebuild, drop_retired, live_generation, promote

FRESH = timedelta(days=10)
"""So long a load may be used again: later, orders that it shows would be past their time."""
_SHARED_BUFFERS = "2GB"  # all that is asked for lies in memory, for every server alike
_WAL = "4GB"  # so much is written while it is loaded: no checkpoint comes in between
_AT_ONCE = 500  # whose keys the ring holds at once


@dataclass(frozen=True)
class Installation:
    """A database that reads can be asked of, and whom to ask for."""

    settings: Settings
    dsn: str  # of an account that may do everything: never log it
    scale: Scale

    def patients(self, *, long: bool = False) -> list[UUID]:
        """Who may be asked for at the facility that asks; *long*: of whom a thousand entries may be."""
        with Connection.connect(self.dsn) as connection:
            found = connection.execute(
                "SELECT id FROM bench.patient WHERE CASE WHEN %s THEN long ELSE asked END ORDER BY n", (long,)
            )
            return [one for (one,) in found.fetchall()]

    def entries(self) -> list[tuple[UUID, UUID]]:
        """Of each patient who may be asked for, in their order, one entry that is in force; and whose it is first."""
        with Connection.connect(self.dsn) as connection:
            found = connection.execute(
                f"""SELECT p.id, (SELECT min(entry::text)::uuid FROM {self.schema(record_index.NAME)}.entry e
                        WHERE e.patient_id = p.id AND e.to_pos IS NULL)
                    FROM bench.patient p WHERE p.asked ORDER BY p.n""".encode()
            )
            return [(patient, entry) for patient, entry in found.fetchall()]

    def schema(self, projection: str) -> str:
        """Of the live generation."""
        with Connection.connect(self.dsn) as connection:
            return PROJECTIONS[projection].schema(live_generation(connection, projection))

    def base(self) -> datetime:
        """The moment that everything in it was made before, UTC."""
        with Connection.connect(self.dsn) as connection:
            row = connection.execute("SELECT base FROM bench.moment").fetchone()
        assert row is not None, "it was not loaded"
        return row[0].astimezone(UTC)  # type: ignore[no-any-return]

    def catch_up(self, *, leave: tuple[str, ...] = ()) -> None:
        """Apply what reads have appended, but to the projections that are to be left as they are."""
        with logins_of(self.settings, self.dsn).connect(LogRole.PROJECTOR) as connection:
            engine = _engine(self.settings)
            for name, projection in PROJECTIONS.items():
                if name not in leave:
                    engine.catch_up(connection, projection, live_generation(connection, name))

    @contextmanager
    def summary_behind(self) -> Iterator[None]:
        """The ready summary stands one position back: what it would answer is assembled from the index."""
        with Connection.connect(self.dsn, autocommit=True) as connection:
            live = patient_summary.NAME, live_generation(connection, patient_summary.NAME)
            of_it = "projection_checkpoint WHERE name = %s AND generation = %s"
            stood = connection.execute(f"SELECT pos, part FROM {of_it} AND pos > 0".encode(), live).fetchall()
            move = (
                "UPDATE projection_checkpoint SET pos = %s WHERE part = %s AND name = %s AND generation = %s"
            )
            with connection.cursor() as cursor:
                cursor.executemany(move, [(pos - 1, part, *live) for pos, part in stood])
                try:
                    yield
                finally:
                    cursor.executemany(move, [(*place, *live) for place in stood])


@contextmanager
def reading_server(folder: Path) -> Iterator[Callable[[Scale], Installation]]:
    """A server in *folder*, and what gives an installation of a size on it: loaded now, or there before."""
    settings = read_settings({"TSUZURI_HOME": str(folder), "TSUZURI_MODE": "development"})
    with EmbeddedPostgres(folder / "postgres") as server:
        roomy = _has_room(server.dsn)
    if not roomy:
        print(f"shared_buffers of the server in {folder} are {_SHARED_BUFFERS} from its next start on")
    with EmbeddedPostgres(folder / "postgres") as server:
        yield lambda scale: _installation(settings, server.dsn, scale)


def _has_room(dsn: str) -> bool:
    with Connection.connect(dsn, autocommit=True) as connection:
        if connection.execute("SHOW shared_buffers").fetchone() == (_SHARED_BUFFERS,):
            return True
        connection.execute(SQL("ALTER SYSTEM SET shared_buffers = {}").format(_SHARED_BUFFERS))
        connection.execute(SQL("ALTER SYSTEM SET max_wal_size = {}").format(_WAL))
        return False


def _installation(settings: Settings, server_dsn: str, scale: Scale) -> Installation:
    name = f"reading_{scale.entries}"
    installation = Installation(settings, make_conninfo(server_dsn, dbname=name), scale)
    with Connection.connect(server_dsn, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            if _usable(installation):
                return installation
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    began = time.monotonic()
    bring_up(settings, installation.dsn)
    load(installation)
    print(
        f"{scale.entries:,} entries of {scale.patients:,} patients in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return installation


def _usable(installation: Installation) -> bool:
    """Whether it was loaded to the end, not too long ago, for the projections as they are now."""
    with Connection.connect(installation.dsn) as connection:
        if connection.execute("SELECT to_regclass('bench.loaded')").fetchone() == (None,):
            return False
        row = connection.execute("SELECT made_by, at > now() - %s FROM bench.loaded", (FRESH,)).fetchone()
    return row is not None and row == (_made_by(), True)


def _made_by() -> str:
    """The rows that are written, and the versions of the projections, as a digest."""
    versions = "".join(f"{name} {projection.version}\n" for name, projection in PROJECTIONS.items())
    return sha256(versions.encode() + Path(reading_rows.__file__).read_bytes()).hexdigest()


def load(installation: Installation) -> None:
    """Fill an empty installation."""
    settings, dsn, scale = installation.settings, installation.dsn, installation.scale
    with Connection.connect(dsn, autocommit=True) as connection:
        connection.execute(reading_rows.outline(scale).encode())
    asyncio.run(_enter_facilities(settings, dsn, scale.facilities))
    _grant_consents(installation)
    with logins_of(settings, dsn).connect(LogRole.PROJECTOR) as connection:
        _fill(
            connection,
            _engine(settings),
            record_index.NAME,
            [reading_rows.DOCUMENTS, reading_rows.ENTRIES_OF_ALL],
        )
        indexed = f"{installation.schema(record_index.NAME)}.entry"
        _fill(connection, _engine(settings), patient_summary.NAME, [reading_rows.summaries(indexed)])
        _fill(connection, _engine(settings), audit_trail.NAME, [reading_rows.ACCESSES])
    installation.catch_up()
    with Connection.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CREATE TABLE bench.loaded (at timestamptz, made_by text)")
        connection.execute("INSERT INTO bench.loaded VALUES (now(), %s)", (_made_by(),))


async def _enter_facilities(settings: Settings, dsn: str, count: int) -> None:
    entries = [
        Facility(
            number=facility_number(number),
            name=f"試験病院{facility_number(number)}",
            kind=FacilityKind.HOSPITAL,
            municipality="13101",
            municipality_name="東京都千代田区",
            departments=("内科", "外科", "小児科"),
        )
        for number in range(count)
    ]
    async with services(settings, dsn) as opened:
        await list_facilities(opened, Caller(person="operator-ono", role=Role.OPERATOR), entries)


def _grant_consents(installation: Installation) -> None:
    """Each patient who is asked for lets the facility that asks see everything, and another one her prescriptions."""
    log = LogApplication(
        logins_of(installation.settings, installation.dsn), KeyRing(key_encryption(installation.settings))
    )
    mapper, base = event_mapper(), installation.base()
    try:
        writes = []
        for patient in [*installation.patients(long=True), *installation.patients()]:
            consents, events = Consents(patient), []
            for facility, classes in (
                (FACILITY_ASKING, tuple(RecordClass)),
                (facility_number(1), (RecordClass.PRESCRIPTION,)),
            ):
                events.append(_granted(consents, facility, classes, base))
                consents = evolve(consents, events[-1])
            beside = Beside(narrows=True, consents=consent_state.dump(consents))
            writes.append(Write([mapper.to_stored_event(event) for event in events], beside))
        appender = BulkAppender(log.part_recorder)
        for first in range(0, len(writes), _AT_ONCE):
            refused = [one for one in appender.append(writes[first : first + _AT_ONCE]) if one is not None]
            assert not refused, refused[0]
    finally:
        log.close()


def _granted(consents: Consents, facility: str, classes: tuple[RecordClass, ...], base: datetime) -> Any:
    return grant(
        consents,
        event_id=uuid4(),
        facility=facility,
        classes=classes,
        purpose=PurposeOfUse.TREAT,
        since=base - timedelta(days=1),
        until=base + timedelta(days=90),
        given=PATIENT,
        recorded_by="patient",
    )


def _fill(connection: Connection[Any], engine: Engine, name: str, statements: list[str]) -> None:
    """A new generation with these rows, indexed as any is when it has been filled, that reads follow from now on."""
    projection = PROJECTIONS[name]
    generation = begin_rebuild(connection, engine, projection)
    while fill(connection, engine, projection, generation).more:
        pass
    with connection.transaction():
        schema = Identifier(projection.schema(generation))
        connection.execute(SQL("SET LOCAL search_path TO {}, public").format(schema))
        connection.execute("SET LOCAL timezone TO 'UTC'")
        connection.execute("SET LOCAL work_mem TO '256MB'")
        for statement in statements:
            connection.execute(statement.encode())
    connection.execute("SET maintenance_work_mem TO '512MB'")
    assert index_when_filled(connection, projection, generation), "parts were left out"
    promote(connection, engine, projection, generation)
    drop_retired(connection, projection)


def _engine(settings: Settings) -> Engine:
    return Engine(event_mapper(), KeyRing(key_encryption(settings)))
