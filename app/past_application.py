"""What an application was when one access was recorded, as far as a repeated root field asks (graphql/repeating.py).

It changes nothing and records nothing. Whose access it was, it shows what she was shown then; all else is refused.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from psycopg import RawCursor

from tsuzuri.app.actions.left_behind import Changed, concerns, left_out
from tsuzuri.app.actions.open_record import BAD_POSITION, NOT_YET
from tsuzuri.app.actions.past_states import past_states
from tsuzuri.app.actions.preview_consent import preview_on
from tsuzuri.app.actions.recorded_access import RecordedDecision
from tsuzuri.app.services import Services
from tsuzuri.app.told import told
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.domain.fhir.consent_resource import consent_resources
from tsuzuri.domain.identifiers import PatientKey, PatientNumber
from tsuzuri.domain.previews import Preview
from tsuzuri.domain.vocabulary import ConsentChange, PurposeOfUse, RecordClass, RefusalReason
from tsuzuri.eventlog.quick_reads import given, rows_of
from tsuzuri.graphql.context import AsOf, AsOfPosition, LiesBeside
from tsuzuri.graphql.facility_types import Facility, load_facilities
from tsuzuri.graphql.gate import Gate
from tsuzuri.graphql.positions import opened_position
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.graphql.seals import SealBroken, Seals
from tsuzuri.projections.freshness import Freshness
from tsuzuri.projections.past_sight import SCHEMA, PastSight, PastTables
from tsuzuri.projections.sql import Composed

T = TypeVar("T")
_NOWHERE = -1  # where what lies ready stands: so the index is read instead, which shows the same


@dataclass
class PastApplication:
    """Implements of tsuzuri.graphql.context.Application what those root fields ask for."""

    services: Services
    event: AccessPermitted
    decided: RecordedDecision
    tables: PastTables
    path: Path
    gate: Gate = field(default_factory=Gate)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closed: bool = False

    @property
    def seals(self) -> Seals:
        return self.services.seals

    @property
    def correction_days(self) -> int:
        return self.services.correction_days

    def new_id(self) -> UUID:
        return self.services.new_id()

    def now(self) -> datetime:
        return self.decided.request.at

    async def fetch(self, statement: Composed) -> list[dict[str, Any]]:
        """Nothing once it is closed: then nobody waits for it any more, a field beside it having failed."""
        found = await self._in_turn(lambda: self._fetched(statement))
        return found or []

    async def close(self) -> None:
        async with self._turn:
            self._closed = True

    async def _in_turn(self, work: Callable[[], T]) -> T | None:
        """In a thread, and to its end even when who waited for it is gone: the tables have one connection."""
        async with self._turn:
            if self._closed:
                return None
            done = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:
                await asyncio.wait([done])
                raise

    def _fetched(self, statement: Composed) -> list[dict[str, Any]]:
        values = [None if value is None else _text(value) for value in statement.values]
        with RawCursor(self.tables.connection) as cursor:
            cursor.execute(statement.numbered().encode(), values, binary=True)
            assert cursor.pgresult is not None
            return rows_of(cursor.pgresult)

    async def live_schemas(self, *projections: str) -> list[str]:
        for name in projections:
            await self._in_turn(partial(self.tables.fill, name))
        return [SCHEMA] * len(projections)

    async def beside(self, projection: str, patients: Sequence[UUID]) -> LiesBeside:
        (schema,) = await self.live_schemas(projection)
        return LiesBeside(schema, {}, at_head=True)

    async def facilities(self, numbers: list[str]) -> list[Facility]:
        """As they were listed then."""
        await self._in_turn(lambda: self.tables.list_facilities(numbers))
        return await load_facilities(self, numbers)  # type: ignore[arg-type]  # it asks no more than is here

    async def stands(self, projection: str, patient: UUID) -> Freshness:
        return self._freshness(_NOWHERE)

    async def codes(self, release: str) -> Codes:
        return self.tables.codes

    async def erased_behind(self, projection: str, patient: UUID) -> bool:
        return False

    async def payload(self, patient: UUID, payload: UUID) -> bytes | None:
        return await self.services.log.payload(patient, payload)

    async def open_record(
        self,
        caller: Caller,
        key: PatientKey,
        purpose: PurposeOfUse,
        *,
        as_of: AsOf,
        min_position: str | None,
        path: Path,
    ) -> Reading | RefusedReading:
        if path != self.path:
            return self._refused()
        return await self.reading(as_of, min_position)

    async def open_records(
        self,
        caller: Caller,
        keys: Sequence[UUID | PatientNumber],
        purpose: PurposeOfUse,
        *,
        paths: Sequence[Path],
    ) -> list[Reading | RefusedReading]:
        return [await self.reading(None, None) if path == self.path else self._refused() for path in paths]

    async def reading(self, as_of: AsOf, min_position: str | None) -> Reading:
        """Under the recorded decision, at the recorded position."""
        audit, decision, patient = self.event.audit, self.decided.answer, self.event.patient
        assert isinstance(decision, Permitted), "what was refused has no reading"
        await self.live_schemas("record_index")
        stood = {one: audit.stood_at.get(one, position) for one, position in self.positions.items()}
        return Reading(
            access_id=self.new_id(),
            path=self.path,
            request=self.decided.request,
            decision=decision,
            sight=PastSight(
                patient=patient,
                grounds=decision.grounds,
                generation=0,
                position=audit.read_at,
                others=tuple(audit.read_at_linked.items()),
                recorded_by=None if isinstance(as_of, AsOfPosition) else as_of,
                decided_at=self.decided.request.at,
                left_out=left_out(await self._behind(decision, stood)),
            ),
            guards=(),
            as_of=audit.as_of,
            incomplete=audit.incomplete,
            problem=self._problem(patient, stood, as_of, min_position),
            stands=self._freshness(stood[patient]),
            linked=audit.linked,
        )

    @property
    def positions(self) -> dict[UUID, int]:
        """At which the answer stands, of all who were this person."""
        audit = self.event.audit
        return {self.event.patient: audit.read_at, **audit.read_at_linked}

    async def preview_consent(
        self,
        patient: UUID,
        change: ConsentChange,
        facility: str | None,
        classes: Sequence[RecordClass],
        until: datetime | None,
    ) -> Sequence[Preview]:
        held = await self._consents()
        with told():
            return preview_on(held, self.now(), self.new_id(), change, facility, classes, until)

    async def consent_resources(self, patient: UUID) -> list[dict[str, Any]]:
        return consent_resources(await self._consents(), self.now())

    async def _consents(self) -> Consents:
        audit = self.event.audit
        versions = {self.event.patient: audit.consent_version, **audit.linked}
        return (await past_states(self.services, versions, None, {})).consents

    async def _behind(self, decision: Permitted, stood: Mapping[UUID, int]) -> list[Changed]:
        """What was left out as changed behind where the index stood."""
        found: list[Changed] = []
        for one, last in self.event.audit.left_out_to.items():
            for pos, event in await self.services.log.record_events_behind(one, stood[one]):
                if pos <= last and isinstance(event, Changed) and concerns(event, decision):
                    found.append(event)
        return found

    def _problem(
        self, patient: UUID, stood: Mapping[UUID, int], as_of: AsOf, min_position: str | None
    ) -> tuple[str, str] | None:
        wanted: Mapping[UUID, int] = {}
        try:
            if min_position is not None:
                wanted = opened_position(self.seals, patient, min_position).of_each
            if isinstance(as_of, AsOfPosition):
                opened_position(self.seals, patient, as_of.token)
        except SealBroken:
            return BAD_POSITION
        short = any(stood[one] < position for one, position in wanted.items() if one in stood)
        return NOT_YET if short else None

    def _refused(self) -> RefusedReading:
        """What else the operation asked for is another access."""
        refused = Refused(RefusalReason.NOT_AVAILABLE, 0)
        return RefusedReading(
            access_id=self.new_id(), request=self.decided.request, known_patient=None, decision=refused
        )

    def _freshness(self, position: int) -> Freshness:
        return Freshness(
            generation=0,
            position=position,
            recorded_at=None,
            lag_seconds=0.0,
            at_head=True,
            quarantined=False,
            codes=self.event.audit.codes,
        )


def _text(value: Any) -> str:
    plain = given(value)
    assert plain is not None
    return plain.decode()
