"""What the GraphQL room needs of the application, declared here so that it imports none of it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from psycopg.pq.abc import PGresult
from strawberry.dataloader import DataLoader

from tsuzuri.domain.answers import Answered
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.consent_intentions import ImportedConsent
from tsuzuri.domain.correction_requests import SubjectKey
from tsuzuri.domain.events import ReplayContentAllowed
from tsuzuri.domain.explanations import Explanation
from tsuzuri.domain.facilities import EmergencyRight
from tsuzuri.domain.facilities import Facility as ListedFacility
from tsuzuri.domain.identifiers import PatientKey, PatientNumber
from tsuzuri.domain.opening_hours import OpenPeriod
from tsuzuri.domain.orders import Why
from tsuzuri.domain.policies import Window
from tsuzuri.domain.previews import Preview
from tsuzuri.domain.questions import Asked
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.replays import Replay
from tsuzuri.domain.vocabulary import (
    ConsentChange,
    CorrectionKind,
    CorrectionOutcome,
    DocumentKind,
    ProxyRelation,
    PurposeOfUse,
    RecordClass,
    ReviewFinding,
    Role,
)
from tsuzuri.graphql.readings import Operation, Path, Reading, Readings, RefusedReading
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.comparing import Comparison
from tsuzuri.projections.freshness import Freshness
from tsuzuri.projections.quarantine import Quarantined
from tsuzuri.projections.replaying import Tried
from tsuzuri.projections.sql import Composed
from tsuzuri.projections.standings import FillProgress, Standing

if TYPE_CHECKING:  # these modules need this one
    from strawberry import Schema

    from tsuzuri.graphql.facility_types import Facility
    from tsuzuri.graphql.gate import Gate


ROWS_MAX = 5_000
"""How many rows one operation may show, over all its fields: lists within lists multiply."""


@dataclass(frozen=True)
class AsOfPosition:
    """A sealed position that an earlier answer gave out."""

    token: str


AsOf = datetime | AsOfPosition | None


@dataclass(frozen=True)
class LiesBeside:
    """Where a projection lies that is read beside the index, and how far it has come."""

    schema: str
    positions: Mapping[UUID, int]  # in the part of each
    at_head: bool  # it lacks nothing


@dataclass(frozen=True, kw_only=True)
class Declared:
    """An emergency that was declared: whom it opens, and until when (aware)."""

    emergency: UUID
    patient: UUID
    until: datetime


@dataclass(frozen=True, kw_only=True)
class RecordChange:
    """Something that who watches may see has changed. What it is, a read tells."""

    access: UUID  # that she was told, in the trail
    position: str  # sealed


@dataclass(frozen=True, kw_only=True)
class NewAccess:
    """Somebody looked."""

    row: Mapping[str, Any]  # of the audit trail's VIEW
    position: str  # sealed


class RequestRefused(Exception):
    """A request that cannot be carried out as it stands; `code` goes to the client as extensions.code.

    `details` go beside it: "broken", the rules that a Bundle breaks; "missing", what a Consent says that cannot be said
    here.
    """

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None):
        super().__init__(message)
        self.code = code
        self.details = dict(details or {})


class Application(Protocol):
    """The application's actions, and its read connections."""

    seals: Seals
    gate: "Gate"
    correction_days: int  # how long a facility may take to answer a patient's request

    async def fetch(self, statement: Composed) -> list[dict[str, Any]]:
        """Rows as dictionaries, in the order of the statement."""

    async def write(self, statement: Composed) -> PGresult:
        """As `fetch`, of rows that are text already."""

    async def live_schemas(self, *projections: str) -> list[str]:
        """The schemas in which the live generations of these projections lie, at the same moment."""

    async def stands(self, projection: str, patient: UUID) -> Freshness:
        """Which generation of a projection is live, and where it stands in the patient's part."""

    async def beside(self, projection: str, patients: Sequence[UUID]) -> "LiesBeside":
        """As `live_schemas`, of what is read beside the index for one person; and where it stands."""

    async def codes(self, release: str) -> Codes:
        """A release of the codes, by the name of which a generation is filled."""

    async def erased_behind(self, projection: str, patient: UUID) -> bool:
        """Whether the patient's record was erased behind where the projection stands: it still holds what was in it."""

    async def payload(self, patient: UUID, payload: UUID) -> bytes | None:
        """Bytes that lie beside the patient's events, as they were stored; None when they were erased."""

    def new_id(self) -> UUID: ...

    def now(self) -> datetime:
        """Aware, UTC: the moment that is decided for."""

    async def open_record(
        self,
        caller: Caller,
        key: PatientKey,
        purpose: PurposeOfUse,
        *,
        as_of: AsOf,
        min_position: str | None,
        path: Path,
    ) -> Reading | RefusedReading: ...

    async def open_records(
        self,
        caller: Caller,
        keys: Sequence[UUID | PatientNumber],
        purpose: PurposeOfUse,
        *,
        paths: Sequence[Path],
    ) -> list[Reading | RefusedReading]:
        """As `open_record`, each decided by herself, in the order of the keys; the same person is read once."""

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        """Record what was read. Raises NarrowedMeanwhile (read again) or LogUnavailable (withhold)."""

    async def register_bundle(
        self, caller: Caller, received: bytes, *, oral_consent: bool = False
    ) -> RegisteredBundle: ...

    async def cancel_bundle(
        self, caller: Caller, key: PatientKey, system: str, value: str, kind: DocumentKind, reason: str
    ) -> UUID: ...

    async def restore_bundle(
        self, caller: Caller, key: PatientKey, system: str, value: str, kind: DocumentKind, reason: str
    ) -> UUID: ...

    async def grant_consent(
        self,
        caller: Caller,
        key: PatientKey,
        facility: str,
        classes: Sequence[RecordClass],
        purpose: PurposeOfUse,
        until: datetime | None,
        document: UUID | None,
    ) -> UUID: ...

    async def withdraw_consent(
        self,
        caller: Caller,
        key: PatientKey,
        facility: str,
        classes: Sequence[RecordClass],
        document: UUID | None,
    ) -> UUID: ...

    async def preview_consent(
        self,
        patient: UUID,
        change: ConsentChange,
        facility: str | None,
        classes: Sequence[RecordClass],
        until: datetime | None,
    ) -> Sequence[Preview]:
        """What a change would mean; nothing is written."""

    async def deny_consent(
        self, caller: Caller, key: PatientKey, facility: str | None, classes: Sequence[RecordClass]
    ) -> UUID: ...

    async def import_consent(self, caller: Caller, received: bytes) -> ImportedConsent: ...

    async def consent_resources(self, patient: UUID) -> list[dict[str, Any]]:
        """What the patient has said and what stands now, as FHIR R4 Consents."""

    async def lift_denial(self, caller: Caller, key: PatientKey, denial: UUID) -> UUID: ...

    async def appoint_proxy(
        self, caller: Caller, key: PatientKey, person: str, relation: ProxyRelation, until: datetime
    ) -> UUID: ...

    async def end_proxy(self, caller: Caller, key: PatientKey, proxy: UUID) -> UUID: ...

    async def declare_emergency(
        self, caller: Caller, key: PatientKey, reason: str, minutes: int
    ) -> Declared | RefusedReading: ...

    async def widen_emergency(
        self, caller: Caller, key: PatientKey, emergency: UUID, reason: str
    ) -> UUID: ...

    async def end_emergency(self, caller: Caller, key: PatientKey, emergency: UUID) -> UUID: ...

    async def give_emergency_right(self, caller: Caller, person: str, until: datetime) -> UUID: ...

    async def take_emergency_right(self, caller: Caller, right: UUID) -> UUID: ...

    async def emergency_rights(self, caller: Caller) -> Sequence[EmergencyRight]: ...

    async def open_disaster_window(
        self,
        caller: Caller,
        municipalities: Sequence[str],
        since: datetime | None,
        until: datetime,
        reason: str,
    ) -> UUID: ...

    async def close_disaster_window(
        self, caller: Caller, window: UUID, municipalities: Sequence[str]
    ) -> UUID: ...

    async def disaster_windows(self) -> Sequence[Window]: ...

    async def open_own_referrals(self, caller: Caller, patient: UUID, path: Path) -> Reading | RefusedReading:
        """A look at where the caller's facility's referrals of this patient stand."""

    async def receive_referral(self, caller: Caller, key: PatientKey, document: UUID) -> UUID: ...

    async def request_correction(
        self, caller: Caller, key: PatientKey, kind: CorrectionKind, about: SubjectKey, words: str
    ) -> UUID: ...

    async def take_back_correction_request(self, caller: Caller, key: PatientKey, request: UUID) -> UUID: ...

    async def answer_correction(
        self, caller: Caller, key: PatientKey, request: UUID, outcome: CorrectionOutcome, words: str | None
    ) -> UUID: ...

    async def open_corrections(self, caller: Caller, patient: UUID, path: Path) -> Reading | RefusedReading:
        """A look at what a patient asks of the caller's facility, or of any that does not answer."""

    async def list_facility(self, caller: Caller, facility: ListedFacility) -> bool: ...

    async def close_facility(self, caller: Caller, number: str, reason: str | None) -> bool: ...

    async def close_review(
        self, caller: Caller, review: UUID, finding: ReviewFinding, words: str
    ) -> UUID: ...

    async def set_facility_hours(
        self, caller: Caller, number: str, weekly: list[OpenPeriod], closed_days: list[date]
    ) -> bool: ...

    async def name_staff(self, caller: Caller, names: Mapping[str, str]) -> bool: ...

    async def link_patients(self, caller: Caller, survivor: UUID, other: UUID, reason: str) -> UUID: ...

    async def unlink_patients(self, caller: Caller, patient: UUID, link: UUID, reason: str) -> UUID: ...

    async def settle_identity(self, caller: Caller, patient: UUID, identity: UUID, reason: str) -> UUID: ...

    async def trail_complete_until(self) -> datetime: ...

    async def prove_access(self, access: UUID) -> dict[str, Any] | None:
        """A proof as docs/PROOFS.md has it. None: the trail has no such access. Raises RequestRefused."""

    async def prove_accesses(self, patients: Sequence[UUID]) -> dict[str, Any]:
        """Of a patient, and of who is the same person. Raises RequestRefused."""

    async def prove_consistency(self, first: int, second: int | None) -> dict[str, Any]:
        """Of two heads; none: the newest. Raises RequestRefused."""

    async def explain_access(self, access: UUID) -> Explanation | None:
        """None: the trail has no such access, or nothing was decided for it."""

    async def replay_access(
        self, schema: "Schema", caller: Caller, access: UUID, allowance: UUID | None
    ) -> Replay | None:
        """None: the trail has no such access. With *allowance*, a second person's, the content comes too."""

    async def allow_replay_content(
        self, caller: Caller, access: UUID, person: str
    ) -> ReplayContentAllowed: ...

    async def explain_moment(
        self, patient: UUID, facility: str, at: datetime, *, role: Role, purpose: PurposeOfUse, person: str
    ) -> Explanation: ...

    async def ask_question(self, asked: Asked) -> Answered:
        """Raises RequestRefused."""

    async def projection_standings(self) -> list[Standing]: ...

    def watch_projection(self, name: str) -> AsyncGenerator[FillProgress, None]:
        """How far it has come, each time that has changed. Raises RequestRefused: there is none of that name."""

    def watch_record(
        self, caller: Caller, key: PatientKey, purpose: PurposeOfUse, after: str | None, operation: Operation
    ) -> AsyncGenerator[RecordChange | RefusedReading, None]:
        """Each time something has changed that she may see, recorded before it is told; a refusal ends it.

        Raises RequestRefused.
        """

    def watch_accesses(
        self, caller: Caller, patient: UUID, after: str | None, operation: Operation
    ) -> AsyncGenerator[NewAccess | RefusedReading, None]:
        """Each access to the patient's record that she may know of, the oldest first; a refusal ends it.

        Raises RequestRefused.
        """

    async def quarantined_patients(self, name: str | None) -> list[Quarantined]: ...

    async def begin_rebuild(self, caller: Caller, name: str, why: Why) -> int: ...

    async def check_projection(self, caller: Caller, name: str) -> Comparison | None: ...

    async def promote_projection(
        self, caller: Caller, name: str, generation: int | None, why: Why
    ) -> int: ...

    async def roll_back_projection(self, caller: Caller, name: str, why: Why) -> int: ...

    async def pause_projection(self, caller: Caller, name: str, why: Why, *, paused: bool) -> None: ...

    async def retry_quarantined(self, caller: Caller, name: str, patient: UUID | None, why: Why) -> Tried: ...

    async def skip_quarantined(
        self, caller: Caller, name: str, patient: UUID, reason: str, ticket: str | None
    ) -> Tried: ...


@dataclass
class Context:
    """One request: who calls, and what it has read so far."""

    application: Application
    caller: Caller
    facilities: "DataLoader[str, Facility]"  # by number
    operation: Operation | None = None  # of a subscription, which records by itself what it tells
    readings: Readings = field(default_factory=Readings)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one statement at a time
    rows_left: int = ROWS_MAX  # how many rows the answer may still hold

    def charge(self, rows: int) -> None:
        """Raises RequestRefused when the operation has shown too much already."""
        self.rows_left = max(-1, self.rows_left - rows)
        if self.rows_left < 0:
            raise RequestRefused(
                "TOO_COSTLY", f"the answer would hold more than {ROWS_MAX} rows: ask for less"
            )
