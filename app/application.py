"""The application as the GraphQL room asks for it: each method is one action, or one look at the tables."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.pq.abc import PGresult

from tsuzuri.app.actions import operate_projections
from tsuzuri.app.actions.explain_access import explain_access
from tsuzuri.app.actions.explain_moment import explain_moment
from tsuzuri.app.actions.open_corrections import open_corrections
from tsuzuri.app.actions.open_own_referrals import open_own_referrals
from tsuzuri.app.actions.open_record import open_record
from tsuzuri.app.actions.open_records import open_records
from tsuzuri.app.actions.prove import Proof, prove_access, prove_accesses, prove_consistency
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.actions.settle_readings import settle_readings
from tsuzuri.app.actions.watch_projection import watch_projection
from tsuzuri.app.auditing import Auditing
from tsuzuri.app.changes import Changes
from tsuzuri.app.looks import Looks
from tsuzuri.app.notices.place import Sending, sending
from tsuzuri.app.reviewing import Reviewing
from tsuzuri.app.services import Services
from tsuzuri.app.told import told
from tsuzuri.app.tracing import span
from tsuzuri.app.watching import Watching
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.events import RecordErased
from tsuzuri.domain.explanations import Explanation
from tsuzuri.domain.identifiers import PatientKey, PatientNumber
from tsuzuri.domain.orders import Why
from tsuzuri.domain.vocabulary import PurposeOfUse, Role
from tsuzuri.eventlog.checkpoints import newest_head_age
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.quick_reads import rows_of
from tsuzuri.graphql.context import AsOf, LiesBeside
from tsuzuri.graphql.gate import Gate
from tsuzuri.graphql.readings import Operation, Path, Reading, Readings, RefusedReading
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.comparing import Comparison
from tsuzuri.projections.freshness import Freshness, freshness, freshness_of_each, served_generations
from tsuzuri.projections.quarantine import Quarantined
from tsuzuri.projections.replaying import Tried
from tsuzuri.projections.sql import Composed
from tsuzuri.projections.standings import FillProgress, Standing


class TsuzuriApplication(Auditing, Changes, Reviewing, Watching):
    """Implements tsuzuri.graphql.context.Application over the services."""

    def __init__(self, services: Services, schema_sha256: str, gate: Gate | None = None):
        """Without a *gate*, any document that is within the limits may run."""
        self.services = services
        self.gate = gate or Gate()
        self.seals: Seals = services.seals
        self.correction_days = services.correction_days
        self.schema_sha256 = schema_sha256
        self.looks = Looks(self.projection_standings)
        self.notice_looks = Looks(self.notices_sending)
        self.checkpoint_looks = Looks(self.checkpoint_age)
        self.releases = services.releases
        self.follow(services)

    async def fetch(self, statement: Composed) -> list[dict[str, Any]]:
        return rows_of(await self.write(statement))

    async def write(self, statement: Composed) -> PGresult:
        with span("sql"):
            return await self.services.reads.fetch(statement.numbered(), statement.values, binary=True)

    async def live_schemas(self, *projections: str) -> list[str]:
        generations = await served_generations(self.services.reads, projections)
        return [PROJECTIONS[name].schema(one) for name, one in zip(projections, generations, strict=True)]

    async def stands(self, projection: str, patient: UUID) -> Freshness:
        return await freshness(self.services.reads, projection, self.services.log.part_of(patient), patient)

    async def beside(self, projection: str, patients: Sequence[UUID]) -> LiesBeside:
        services = self.services
        asked = [(services.log.part_of(one), one) for one in patients]
        stands = await freshness_of_each(services.reads, projection, asked)
        return LiesBeside(
            schema=PROJECTIONS[projection].schema(stands[patients[0]].generation),
            positions={one: stand.position for one, stand in stands.items()},
            at_head=all(stand.at_head for stand in stands.values()),
        )

    async def codes(self, release: str) -> Codes:
        held = self.releases.held(release)
        return await asyncio.to_thread(self._read_codes, release) if held is None else held

    def _read_codes(self, release: str) -> Codes:
        with self.services.logins.connect(LogRole.READER) as connection:
            return self.releases.codes(connection, release)

    async def payload(self, patient: UUID, payload: UUID) -> bytes | None:
        return await self.services.log.payload(patient, payload)

    async def erased_behind(self, projection: str, patient: UUID) -> bool:
        stands = await self.stands(projection, patient)
        if stands.at_head:
            return False
        behind = await self.services.log.record_events_behind(patient, stands.position)
        return any(isinstance(event, RecordErased) for _, event in behind)

    def new_id(self) -> UUID:
        return self.services.new_id()

    def now(self) -> datetime:
        return self.services.now()

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
        with span("open_record"):
            return await open_record(
                self.services, caller, key, purpose, as_of=as_of, min_position=min_position, path=path
            )

    async def open_records(
        self,
        caller: Caller,
        keys: Sequence[UUID | PatientNumber],
        purpose: PurposeOfUse,
        *,
        paths: Sequence[Path],
    ) -> list[Reading | RefusedReading]:
        return await open_records(self.services, caller, keys, purpose, paths)

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        with span("settle"):
            await settle_readings(self.services, caller, readings, operation, data, self.schema_sha256)

    async def open_corrections(self, caller: Caller, patient: UUID, path: Path) -> Reading | RefusedReading:
        return await open_corrections(self.services, caller, patient, path)

    async def open_own_referrals(self, caller: Caller, patient: UUID, path: Path) -> Reading | RefusedReading:
        return await open_own_referrals(self.services, caller, patient, path)

    async def trail_complete_until(self) -> datetime:
        with told():
            return await trail_complete_until(self.services)

    async def explain_access(self, access: UUID) -> Explanation | None:
        return await explain_access(self.services, access)

    async def prove_access(self, access: UUID) -> Proof | None:
        with told():
            return await prove_access(self.services, access)

    async def prove_accesses(self, patients: Sequence[UUID]) -> Proof:
        with told():
            return await prove_accesses(self.services, patients)

    async def prove_consistency(self, first: int, second: int | None) -> Proof:
        with told():
            return await prove_consistency(self.services, first, second)

    async def explain_moment(
        self, patient: UUID, facility: str, at: datetime, *, role: Role, purpose: PurposeOfUse, person: str
    ) -> Explanation:
        with told():
            return await explain_moment(
                self.services, patient, facility, at, role=role, purpose=purpose, person=person
            )

    async def projection_standings(self) -> list[Standing]:
        return await asyncio.to_thread(operate_projections.projection_standings, self.services)

    async def notices_sending(self) -> Sending:
        return await asyncio.to_thread(self._read_sending)

    def _read_sending(self) -> Sending:
        with self.services.logins.connect_to_look(LogRole.READER) as connection:
            return sending(connection)

    async def checkpoint_age(self) -> float | None:
        return await asyncio.to_thread(self._read_checkpoint_age)

    def _read_checkpoint_age(self) -> float | None:
        with self.services.logins.connect_to_look(LogRole.READER) as connection:
            return newest_head_age(connection)

    def watch_projection(self, name: str) -> AsyncGenerator[FillProgress, None]:
        with told():
            return watch_projection(self.looks, name)

    async def quarantined_patients(self, name: str | None) -> list[Quarantined]:
        with told():
            return await asyncio.to_thread(operate_projections.quarantined_patients, self.services, name)

    async def begin_rebuild(self, caller: Caller, name: str, why: Why) -> int:
        with told():
            return await operate_projections.begin_rebuild(self.services, caller, name, why)

    async def check_projection(self, caller: Caller, name: str) -> Comparison | None:
        with told():
            return await operate_projections.check_projection(self.services, caller, name)

    async def promote_projection(self, caller: Caller, name: str, generation: int | None, why: Why) -> int:
        with told():
            return await operate_projections.promote_projection(
                self.services, caller, name, why, generation=generation
            )

    async def roll_back_projection(self, caller: Caller, name: str, why: Why) -> int:
        with told():
            return await operate_projections.roll_back_projection(self.services, caller, name, why)

    async def pause_projection(self, caller: Caller, name: str, why: Why, *, paused: bool) -> None:
        with told():
            await operate_projections.pause_projection(self.services, caller, name, why, paused=paused)

    async def retry_quarantined(self, caller: Caller, name: str, patient: UUID | None, why: Why) -> Tried:
        with told():
            return await operate_projections.retry_quarantined(self.services, caller, name, patient, why)

    async def skip_quarantined(
        self, caller: Caller, name: str, patient: UUID, reason: str, ticket: str | None
    ) -> Tried:
        with told():
            return await operate_projections.skip_quarantined(
                self.services, caller, name, patient, reason, ticket
            )
