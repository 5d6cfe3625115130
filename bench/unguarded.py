"""The application without consent and audit, to measure what they cost: for benchmarks alone, no setting leads here.

A reading of everything is opened without asking the log, nothing is recorded, and the reader's role is the projector's,
which row-level security does not ask. All else is the product: endpoint, tokens, schema, statements.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

from tsuzuri.app import server, services
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.settings import Settings
from tsuzuri.domain.access import Permitted
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, Flag, PurposeOfUse, RecordClass
from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.graphql.context import AsOf
from tsuzuri.graphql.gate import Gate
from tsuzuri.graphql.readings import Operation, Path, Reading, Readings, RefusedReading
from tsuzuri.projections import facilities, record_index
from tsuzuri.projections.freshness import Freshness, served_generation
from tsuzuri.projections.sight import Sight

EVERYTHING = Ground(basis=AccessBasis.SELF, classes=tuple(RecordClass), flags=tuple(Flag))


class UnguardedApplication(TsuzuriApplication):
    """Shows all there is of whoever is asked for, and keeps none of it in mind."""

    def __init__(self, opened: services.Services, schema_sha256: str, gate: Gate | None = None):
        super().__init__(opened, schema_sha256, gate)
        self._stands: dict[int, Freshness] = {}  # by part: nothing is appended while this is measured
        self._facilities: int | None = None  # the generation of their list

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
        assert isinstance(key, UUID), "the benchmark asks by id"
        stands, now = await self._where(key), self.now()
        request = AccessRequest(
            person=caller.person,
            role=caller.role,
            facility=caller.facility,
            own_patient=None,
            patient=key,
            purpose=purpose,
            readable=frozenset(RecordClass),
            at=now,
        )
        sight = Sight(
            patient=key,
            grounds=(EVERYTHING,),
            generation=stands.generation,
            position=stands.position,
            decided_at=now,
        )
        return Reading(
            access_id=self.new_id(),
            path=path,
            request=request,
            decision=Permitted((EVERYTHING,), 0),
            sight=sight,
            guards=(),
            stands=stands,
            facilities=await self._listed(),
        )

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        """Nothing is recorded."""

    async def trail_complete_until(self) -> datetime:
        return self.now()

    async def _listed(self) -> int:
        if self._facilities is None:
            self._facilities = await served_generation(self.services.reads, facilities.NAME)
        return self._facilities

    async def _where(self, patient: UUID) -> Freshness:
        part = self.services.log.part_of(patient)
        if part not in self._stands:
            self._stands[part] = await self.stands(record_index.NAME, patient)
        return self._stands[part]


class _OwnersLogins(Logins):
    """Whoever reads comes in as the owner of the projections."""

    def of(self, role: LogRole) -> str:
        return super().of(LogRole.PROJECTOR if role is LogRole.READER else role)


@contextmanager
def unguarded() -> Iterator[None]:
    """What is built and opened within serves without consent and audit."""
    whole = services.logins_of

    def logins_of(settings: Settings, dsn: str) -> Logins:
        logins = whole(settings, dsn)
        return _OwnersLogins(logins.address, logins.role_key)

    with (
        patch.object(server, "TsuzuriApplication", UnguardedApplication),
        patch.object(services, "logins_of", logins_of),
    ):
        yield
