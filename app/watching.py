"""Watching on the services that the application gives: who is told of what happens to a patient's record."""

from collections.abc import AsyncGenerator
from uuid import UUID

from tsuzuri.app.actions.record_watch import Recording
from tsuzuri.app.actions.watch_accesses import watch_accesses
from tsuzuri.app.actions.watch_record import watch_record
from tsuzuri.app.services import Services
from tsuzuri.app.shared_looks import SharedLooks
from tsuzuri.app.wakes import Wakes
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import EVENTS, AccessPermitted, TrailRead
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import PurposeOfUse, Stream
from tsuzuri.graphql.context import NewAccess, RecordChange
from tsuzuri.graphql.readings import Operation, RefusedReading
from tsuzuri.projections import audit_trail, record_index

RECORD_LOOK_SECONDS = 0.01
TRAIL_LOOK_SECONDS = 0.25
_OF_RECORD = [event.TOPIC for event in EVENTS if event.STREAM in (Stream.RECORD, Stream.CONSENT)]


class Watching:
    """Watches that share what they look at. A change of a record is told when the record index has it."""

    services: Services
    schema_sha256: str

    def follow(self, services: Services) -> None:
        self.record_wakes = Wakes(services, record_index.NAME, _OF_RECORD, look_seconds=RECORD_LOOK_SECONDS)
        self.trail_wakes = Wakes(
            services,
            audit_trail.NAME,
            [AccessPermitted.TOPIC],
            about_anybody=[TrailRead.TOPIC],
            look_seconds=TRAIL_LOOK_SECONDS,
        )
        self.shared_looks = SharedLooks(services)

    def watch_record(
        self, caller: Caller, key: PatientKey, purpose: PurposeOfUse, after: str | None, operation: Operation
    ) -> AsyncGenerator[RecordChange | RefusedReading, None]:
        recording = Recording(self.services, caller, operation, self.schema_sha256)
        return watch_record(
            self.services, self.record_wakes, self.shared_looks, recording, caller, key, purpose, after
        )

    def watch_accesses(
        self, caller: Caller, patient: UUID, after: str | None, operation: Operation
    ) -> AsyncGenerator[NewAccess | RefusedReading, None]:
        recording = Recording(self.services, caller, operation, self.schema_sha256)
        return watch_accesses(
            self.services, self.trail_wakes, self.shared_looks, recording, caller, patient, after
        )
