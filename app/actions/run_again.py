"""Runs what one access recorded once more, on tables that are folded from the log as it stood then."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import orjson
from psycopg import Connection
from strawberry import Schema

from tsuzuri.app.actions.recorded_access import FoundAccess, decided_permitted
from tsuzuri.app.past_application import PastApplication
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.domain.replays import Shown
from tsuzuri.domain.scopes import scopes_of, usual_scopes
from tsuzuri.domain.vocabulary import PurposeOfUse, Role
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.graphql.attachments import repeat_attachment
from tsuzuri.graphql.context import Application, Context
from tsuzuri.graphql.loading import Loader
from tsuzuri.graphql.preparing import Prepared
from tsuzuri.graphql.readings import Path, Reading
from tsuzuri.graphql.repeating import repeat
from tsuzuri.projections.past_sight import PastTables

STATEMENT_SECONDS = 30
_NOTHING = sha256(orjson.dumps(None)).hexdigest()


@dataclass(frozen=True)
class Recorded:
    """An access with what it asked for."""

    found: FoundAccess
    event: AccessPermitted
    path: Path
    prepared: Prepared | None  # None: it was a file that was fetched
    variables: Mapping[str, Any]
    codes: Codes


@dataclass(frozen=True)
class Ran:
    """What the run showed, and how many events more what lies beside the index may have had."""

    shown: Shown
    entries: tuple[UUID, ...]
    answer: Any  # JSON, at the access's place
    more: int


async def run_again(services: Services, schema: Schema, recorded: Recorded, ahead: int) -> Ran:
    """*ahead*: by how many events what lies beside the index moved on while it was read.

    Raises tsuzuri.projections.past_sight.PastUnreadable.
    """
    async with _tables(services, recorded, ahead) as tables:
        event = recorded.event
        past = PastApplication(
            services, event, decided_permitted(event, recorded.found.recorded_at), tables, recorded.path
        )
        application = cast(Application, past)  # the root fields that are repeated ask for no more of one
        context = Context(application, _caller(event), Loader(past.facilities))
        try:
            return _ran(*await _answered(schema, context, past, recorded), tables)
        finally:
            await past.close()


async def _answered(
    schema: Schema, context: Context, past: PastApplication, recorded: Recorded
) -> tuple[list[Reading], Mapping[str, Any] | None]:
    if recorded.prepared is None:
        reading = await past.reading(None, None)
        return [reading], await repeat_attachment(context, reading, recorded.variables)
    key = str(recorded.path[0])
    answered = await repeat(schema, context, recorded.prepared, recorded.variables, key)
    return context.readings.permitted, answered.data


def _ran(readings: list[Reading], data: Mapping[str, Any] | None, tables: PastTables) -> Ran:
    if not readings:
        return Ran(Shown(answer_sha256=_NOTHING, entries_sha256=_NOTHING, entries=0), (), None, 0)
    reading = readings[0]
    answer: Any = data
    for step in reading.path:
        answer = None if answer is None else answer[step]
    shown = Shown(
        answer_sha256=reading.answer_sha256(data),
        entries_sha256=reading.shown_sha256(),
        entries=len(reading.shown),
    )
    return Ran(shown, tuple(UUID(bytes=one) for one in sorted(reading.shown)), answer, tables.more)


@asynccontextmanager
async def _tables(services: Services, recorded: Recorded, ahead: int) -> AsyncIterator[PastTables]:
    connection = await asyncio.to_thread(_connected, services)
    audit, patient = recorded.event.audit, recorded.event.patient
    positions = {patient: audit.read_at, **audit.read_at_linked}
    try:
        yield PastTables(
            connection=connection,
            mapper=services.log.mapper,
            ring=services.ring,
            parts=services.log.parts,
            codes=recorded.codes,
            positions={one: audit.stood_at.get(one, position) for one, position in positions.items()},
            beside=audit.beside,
            ahead=ahead,
            before=recorded.found.recorded_at,
        )
    finally:
        await asyncio.to_thread(connection.close)


def _connected(services: Services) -> Connection[Any]:
    """As the only role that may make temporary tables; it writes nothing else."""
    connection = services.logins.connect(LogRole.PROJECTOR)
    connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'".encode())
    return connection


def _caller(event: AccessPermitted) -> Caller:
    """Who asked, with every scope: what hers left out, the recorded decision leaves out.

    Who stands for a patient is nobody whose own record is known here; any other id stands for hers.
    """
    told = event.told
    own = event.patient if told.purpose is PurposeOfUse.PATRQT else event.event_id
    return Caller(
        person=told.person,
        role=told.role,
        facility=told.facility,
        patient=own if told.role is Role.PATIENT else None,
        scopes=scopes_of(usual_scopes(told.role)),
    )
