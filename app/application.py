"""The application as the GraphQL room asks for it: each method is one action, or one look at the tables."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.sql import Composed

from tsuzuri.app.actions import operate_projections
from tsuzuri.app.actions.answer_correction import answer_correction
from tsuzuri.app.actions.appoint_proxy import appoint_proxy, end_proxy
from tsuzuri.app.actions.close_facility import close_facility
from tsuzuri.app.actions.correct_bundle import cancel_bundle, restore_bundle
from tsuzuri.app.actions.deny_consent import deny_consent, lift_denial
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.link_patients import link_patients, unlink_patients
from tsuzuri.app.actions.list_facilities import list_facilities
from tsuzuri.app.actions.open_corrections import open_corrections
from tsuzuri.app.actions.open_own_referrals import open_own_referrals
from tsuzuri.app.actions.open_record import open_record
from tsuzuri.app.actions.preview_consent import preview_consent
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.actions.receive_referral import receive_referral
from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.request_correction import request_correction, take_back_correction_request
from tsuzuri.app.actions.settle_identity import settle_identity
from tsuzuri.app.actions.settle_readings import settle_readings
from tsuzuri.app.actions.watch_projection import watch_projection
from tsuzuri.app.actions.withdraw_consent import withdraw_consent
from tsuzuri.app.broken_rules import broken_rules
from tsuzuri.app.looks import Looks
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.consents import NothingToWithdraw, UselessConsent
from tsuzuri.domain.correction_requests import (
    NoSuchSubject,
    NothingToAnswer,
    NothingToTakeBack,
    RequestedAlready,
    SubjectKey,
    WordsUnfit,
)
from tsuzuri.domain.corrections import NothingToCancel, NothingToRestore
from tsuzuri.domain.denials import DeniedAlready, NothingToLift
from tsuzuri.domain.events import RecordErased
from tsuzuri.domain.facilities import Facility, FacilityMalformed, NothingToClose
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.identifiers import MalformedNumber, PatientKey
from tsuzuri.domain.links import CannotLink, NothingToUnlink
from tsuzuri.domain.orders import Why
from tsuzuri.domain.previews import Preview
from tsuzuri.domain.proxies import NothingToEnd, UselessProxy
from tsuzuri.domain.referrals import NoSuchReferral
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.settlements import NothingToSettle
from tsuzuri.domain.vocabulary import (
    ConsentChange,
    CorrectionKind,
    CorrectionOutcome,
    DocumentKind,
    ProxyRelation,
    PurposeOfUse,
    RecordClass,
)
from tsuzuri.eventlog.appending import LogUnavailable
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.graphql.context import AsOf, RequestRefused
from tsuzuri.graphql.readings import Operation, Path, Reading, Readings, RefusedReading
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.catalogue import PROJECTIONS, UnknownProjection
from tsuzuri.projections.checkpoints import ProjectionOutdated
from tsuzuri.projections.comparing import Comparison
from tsuzuri.projections.freshness import Freshness, freshness, served_generation
from tsuzuri.projections.generations import NotReady, ProjectionPaused, UnknownGeneration
from tsuzuri.projections.quarantine import Quarantined
from tsuzuri.projections.replaying import NotQuarantined, Tried
from tsuzuri.projections.standings import FillProgress, Standing

CODES: dict[type[Exception], str] = {
    NotPermitted: "FORBIDDEN",
    Busy: "BUSY",
    BundleRejected: "BUNDLE_REJECTED",
    NothingToCancel: "NOTHING_TO_CANCEL",
    NothingToRestore: "NOTHING_TO_RESTORE",
    NothingToWithdraw: "NOTHING_TO_WITHDRAW",
    DeniedAlready: "DENIED_ALREADY",
    NothingToLift: "NOTHING_TO_LIFT",
    UselessProxy: "USELESS_PROXY",
    NothingToEnd: "NOTHING_TO_END",
    UselessConsent: "USELESS_CONSENT",
    NoSuchReferral: "NOT_AVAILABLE",
    NoSuchSubject: "NOT_AVAILABLE",
    RequestedAlready: "REQUESTED_ALREADY",
    NothingToTakeBack: "NOTHING_TO_TAKE_BACK",
    NothingToAnswer: "NOTHING_TO_ANSWER",
    WordsUnfit: "BAD_INPUT",
    MalformedNumber: "BAD_INPUT",
    FacilityMalformed: "BAD_INPUT",
    NothingToClose: "NOTHING_TO_CLOSE",
    NothingToSettle: "NOTHING_TO_SETTLE",
    CannotLink: "CANNOT_LINK",
    NothingToUnlink: "NOTHING_TO_UNLINK",
    UnknownProjection: "UNKNOWN_PROJECTION",
    UnknownGeneration: "UNKNOWN_GENERATION",
    NotReady: "NOT_READY",
    ProjectionPaused: "PROJECTION_PAUSED",
    NotQuarantined: "NOT_QUARANTINED",
    ProjectionOutdated: "PROJECTION_OUTDATED",
    LogUnavailable: "LOG_UNAVAILABLE",
}
"""What a caller can mend, and the code it is told under."""


@contextmanager
def told() -> Iterator[None]:
    """Turns the refusals of actions into RequestRefused, once."""
    try:
        yield
    except tuple(CODES) as error:
        code = next(code for refusal, code in CODES.items() if isinstance(error, refusal))
        details = {"broken": broken_rules(error.broken)} if isinstance(error, BundleRejected) else None
        raise RequestRefused(code, str(error), details) from None


class TsuzuriApplication:
    """Implements tsuzuri.graphql.context.Application over the services."""

    def __init__(self, services: Services, schema_sha256: str):
        self.services = services
        self.seals: Seals = services.seals
        self.correction_days = services.correction_days
        self.schema_sha256 = schema_sha256
        self.looks = Looks(self.projection_standings)
        self.releases = services.releases

    async def fetch(self, statement: Composed) -> list[dict[str, Any]]:
        async with (
            self.services.pool.connection() as connection,
            connection.cursor(row_factory=dict_row, binary=True) as cursor,
        ):
            await cursor.execute(statement, prepare=False)
            return await cursor.fetchall()

    async def live_schema(self, projection: str) -> str:
        async with self.services.pool.connection() as connection:
            return PROJECTIONS[projection].schema(await served_generation(connection, projection))

    async def stands(self, projection: str, patient: UUID) -> Freshness:
        async with self.services.pool.connection() as connection:
            return await freshness(connection, projection, self.services.log.part_of(patient), patient)

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
        return await open_record(
            self.services, caller, key, purpose, as_of=as_of, min_position=min_position, path=path
        )

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        await settle_readings(self.services, caller, readings, operation, data, self.schema_sha256)

    async def register_bundle(
        self, caller: Caller, received: bytes, *, oral_consent: bool = False
    ) -> RegisteredBundle:
        with told():
            return await register_bundle(self.services, caller, received, oral_consent=oral_consent)

    async def cancel_bundle(
        self, caller: Caller, key: PatientKey, system: str, value: str, kind: DocumentKind, reason: str
    ) -> UUID:
        with told():
            return await cancel_bundle(self.services, caller, key, system, value, kind, reason)

    async def restore_bundle(
        self, caller: Caller, key: PatientKey, system: str, value: str, kind: DocumentKind, reason: str
    ) -> UUID:
        with told():
            return await restore_bundle(self.services, caller, key, system, value, kind, reason)

    async def grant_consent(
        self,
        caller: Caller,
        key: PatientKey,
        facility: str,
        classes: Sequence[RecordClass],
        purpose: PurposeOfUse,
        until: datetime | None,
        document: UUID | None,
    ) -> UUID:
        with told():
            return await grant_consent(
                self.services, caller, key, facility, classes, purpose, until, document
            )

    async def withdraw_consent(
        self,
        caller: Caller,
        key: PatientKey,
        facility: str,
        classes: Sequence[RecordClass],
        document: UUID | None,
    ) -> UUID:
        with told():
            return await withdraw_consent(self.services, caller, key, facility, classes, document)

    async def preview_consent(
        self,
        patient: UUID,
        change: ConsentChange,
        facility: str | None,
        classes: Sequence[RecordClass],
        until: datetime | None,
    ) -> Sequence[Preview]:
        with told():
            return await preview_consent(self.services, patient, change, facility, classes, until)

    async def deny_consent(
        self, caller: Caller, key: PatientKey, facility: str | None, classes: Sequence[RecordClass]
    ) -> UUID:
        with told():
            return await deny_consent(self.services, caller, key, facility, classes)

    async def lift_denial(self, caller: Caller, key: PatientKey, denial: UUID) -> UUID:
        with told():
            return await lift_denial(self.services, caller, key, denial)

    async def appoint_proxy(
        self, caller: Caller, key: PatientKey, person: str, relation: ProxyRelation, until: datetime
    ) -> UUID:
        with told():
            return await appoint_proxy(self.services, caller, key, person, relation, until)

    async def end_proxy(self, caller: Caller, key: PatientKey, proxy: UUID) -> UUID:
        with told():
            return await end_proxy(self.services, caller, key, proxy)

    async def open_own_referrals(self, caller: Caller, patient: UUID, path: Path) -> Reading | RefusedReading:
        return await open_own_referrals(self.services, caller, patient, path)

    async def receive_referral(self, caller: Caller, key: PatientKey, document: UUID) -> UUID:
        with told():
            return await receive_referral(self.services, caller, key, document)

    async def request_correction(
        self, caller: Caller, key: PatientKey, kind: CorrectionKind, about: SubjectKey, words: str
    ) -> UUID:
        with told():
            return await request_correction(self.services, caller, key, kind, about, words)

    async def take_back_correction_request(self, caller: Caller, key: PatientKey, request: UUID) -> UUID:
        with told():
            return await take_back_correction_request(self.services, caller, key, request)

    async def answer_correction(
        self, caller: Caller, key: PatientKey, request: UUID, outcome: CorrectionOutcome, words: str | None
    ) -> UUID:
        with told():
            return await answer_correction(self.services, caller, key, request, outcome, words)

    async def open_corrections(self, caller: Caller, patient: UUID, path: Path) -> Reading | RefusedReading:
        return await open_corrections(self.services, caller, patient, path)

    async def list_facility(self, caller: Caller, facility: Facility) -> bool:
        with told():
            return await list_facilities(self.services, caller, [facility]) > 0

    async def close_facility(self, caller: Caller, number: str, reason: str | None) -> bool:
        with told():
            return await close_facility(self.services, caller, number, reason)

    async def settle_identity(self, caller: Caller, patient: UUID, identity: UUID, reason: str) -> UUID:
        with told():
            return await settle_identity(self.services, caller, patient, identity, reason=reason)

    async def link_patients(self, caller: Caller, survivor: UUID, other: UUID, reason: str) -> UUID:
        with told():
            return await link_patients(self.services, caller, survivor, other, reason=reason)

    async def unlink_patients(self, caller: Caller, patient: UUID, link: UUID, reason: str) -> UUID:
        with told():
            return await unlink_patients(self.services, caller, patient, link, reason=reason)

    async def trail_complete_until(self) -> datetime:
        with told():
            return await trail_complete_until(self.services)

    async def projection_standings(self) -> list[Standing]:
        return await asyncio.to_thread(operate_projections.projection_standings, self.services)

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
