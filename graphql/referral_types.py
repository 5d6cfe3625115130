"""診療情報提供書 as its recipient, its sender and the patient find it: where each one stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain.referrals import ReferralState as State
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.enums import ReferralState
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.paging import Connection, CountedConnection, Found, Stretch, counted, find, page
from tsuzuri.graphql.patient_record import Patient
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.record_types import Document
from tsuzuri.graphql.statements import Source, equal, one_of
from tsuzuri.projections import consent_register, referral_states, referrals
from tsuzuri.projections.fences import sees_referrals
from tsuzuri.projections.sql import SQL, Composed

Row = Mapping[str, Any]


@strawberry.type(description="Where one referral stands. Its text: `document`, for those who may read it.")
class Referral:
    sender_number: strawberry.Private[str]
    recipient_number: strawberry.Private[str | None]

    id: strawberry.ID = strawberry.field(description="The document's id.")
    state: ReferralState = strawberry.field(description="閲覧保留, 閲覧可, 取得済, …")
    system: str = strawberry.field(description="Bundle.identifier of the sender: its system.")
    value: str = strawberry.field(description="Bundle.identifier of the sender: its value.")
    registered_at: datetime = strawberry.field(description="When this version was registered here, UTC.")
    received_at: datetime | None = strawberry.field(description="取得: when its recipient received it, UTC.")
    visible_until: datetime | None = strawberry.field(description="From then on it is seen no more, UTC.")
    erased_at: datetime | None = strawberry.field(description="When it was erased, UTC.")

    @strawberry.field(description="紹介元.")
    async def sender(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.sender_number)

    @strawberry.field(description="紹介先. Null: it names none, so nobody can receive it.")
    async def recipient(self, info: Info[Context, None]) -> Facility | None:
        if self.recipient_number is None:
            return None
        return await info.context.facilities.load(self.recipient_number)

    @classmethod
    def of(cls, row: Row, **more: Any) -> Self:
        return cls(
            sender_number=row["sender"],
            recipient_number=row["recipient"],
            id=strawberry.ID(str(row["id"])),
            state=State(row["state"]),
            system=row["system"],
            value=row["value"],
            registered_at=row["registeredAt"],
            received_at=row["receivedAt"],
            visible_until=row["visibleUntil"],
            erased_at=row["erasedAt"],
            **more,
        )


@strawberry.type(description="A referral to your facility that you may read now.")
class ReceivedReferral(Referral):
    reader: strawberry.Private[RecordReader]
    document_row: strawberry.Private[Row]

    @strawberry.field(description="Who it is about.")
    async def patient(self) -> Patient:
        return await Patient.read(self.reader)

    @strawberry.field(description="The referral itself.")
    async def document(self) -> Document:
        return Document.of(self.reader, self.document_row)


# What a facility finds is not counted: of whom is not on the page, nobody has looked at anything.
@strawberry.type(description="Referrals, newest first.")
class ReferralConnection(Connection[Referral]):
    pass


@strawberry.type(description="Your referrals, newest first.")
class OwnReferralConnection(CountedConnection[Referral]):
    pass


@strawberry.type(description="Referrals to your facility that you may read now, newest first.")
class ReferralInbox(Connection[ReceivedReferral]):
    pass


@dataclass(frozen=True)
class _List:
    """One list of referrals: which rows, and what its cursors are for."""

    source: Source
    use: str
    conditions: Sequence[Composed]

    async def found(self, context: Context, wanted: Stretch) -> Found:
        application = context.application
        return await find(
            application.fetch, self.source, self.conditions, application.seals, self.use, wanted
        )


@dataclass(frozen=True)
class _States(Source):
    """The referrals with their states at the moment of the question."""

    consents: str
    at: datetime

    def table(self) -> Composed:
        return referral_states.with_states(self.schema, self.consents, self.at)


async def inbox(context: Context, path: Path, wanted: Stretch, state: State | None) -> ReferralInbox:
    """What is addressed to the caller's facility and may be read now, each read decided and noted by itself."""
    facility, at = _facility(context), context.application.now()
    (consents,) = await context.application.live_schemas(consent_register.NAME)
    open_to_it = referral_states.readable(consents, at)
    to_it = [sees_referrals(recipient=facility), equal("recipient", facility)]
    listed = await _list(context, f"inbox/{facility}", to_it, state, at, [open_to_it])
    found = await listed.found(context, wanted)
    readings = await _readings(context, path, [row["patient"] for row in found.rows])
    letters: dict[UUID, ReceivedReferral] = {}
    for row in found.rows:
        reading = readings.get(row["patient"])
        reader = RecordReader(context, reading) if reading else None
        document = await reader.document(row["id"]) if reader else None
        if reader is None or document is None:  # closed since the register was read, or not in the index yet
            continue
        if reader.reading not in context.readings.permitted:
            context.readings.permitted.append(reader.reading)
        letters[row["id"]] = ReceivedReferral.of(row, reader=reader, document_row=document)
    edges, page_info = page(
        context.application.seals, listed.use, wanted, found, lambda row: letters.get(row["id"])
    )
    return ReferralInbox(edges=edges, page_info=page_info)


async def outbox(context: Context, path: Path, wanted: Stretch, state: State | None) -> ReferralConnection:
    """What the caller's facility sent; the look is noted for each patient on the page."""
    facility = _facility(context)
    sent = [sees_referrals(sender=facility), equal("sender", facility)]
    listed = await _list(context, f"outbox/{facility}", sent, state, context.application.now())
    found = await listed.found(context, wanted)
    of_patient: dict[UUID, Reading] = {}
    for row in found.rows:
        if row["patient"] not in of_patient:
            reading = await context.application.open_own_referrals(context.caller, row["patient"], path)
            assert not isinstance(reading, RefusedReading), "a facility may always see what it sent"
            reading.ask([RecordClass.REFERRAL])
            of_patient[row["patient"]] = reading
        of_patient[row["patient"]].show([(row["id"].bytes, RecordClass.REFERRAL)])
    context.readings.permitted += of_patient.values()
    edges, page_info = page(context.application.seals, listed.use, wanted, found, Referral.of)
    return ReferralConnection(edges=edges, page_info=page_info)


async def own_referrals(reader: RecordReader, wanted: Stretch, state: State | None) -> OwnReferralConnection:
    """All referrals of the patient who asks, whatever became of them."""
    context, sight = reader.context, reader.reading.sight
    hers = [sees_referrals(patients=sight.patients), one_of("patient_id", sight.patients)]
    lie = [(await reader.beside(name)).schema for name in (referrals.NAME, consent_register.NAME)]
    listed = _listed(lie, f"referrals/{sight.patient}", hers, state, context.application.now())
    found = await listed.found(context, wanted)
    reader.reading.ask([RecordClass.REFERRAL])
    reader.reading.show((row["id"].bytes, RecordClass.REFERRAL) for row in found.rows)
    edges, page_info = page(context.application.seals, listed.use, wanted, found, Referral.of)
    count = counted(context.application.fetch, listed.source, listed.conditions)
    return OwnReferralConnection(edges=edges, page_info=page_info, count=count)


async def _list(
    context: Context,
    use: str,
    which: Sequence[Composed],
    state: State | None,
    at: datetime,
    conditions: Sequence[Composed] = (),
) -> _List:
    schemas = await context.application.live_schemas(referrals.NAME, consent_register.NAME)
    return _listed(schemas, use, which, state, at, conditions)


def _listed(
    schemas: Sequence[str],
    use: str,
    which: Sequence[Composed],
    state: State | None,
    at: datetime,
    conditions: Sequence[Composed] = (),
) -> _List:
    """*schemas*: of the referrals, and of the consents."""
    schema, consents = schemas
    source = _States(referral_states.VIEW, schema, SQL(" AND ").join(which), consents, at)
    asked = [] if state is None else [referral_states.in_states([state])]
    return _List(source, use, [*conditions, *asked])


async def _readings(context: Context, path: Path, patients: Sequence[UUID]) -> Mapping[UUID, Reading]:
    """One read for each patient that may be read."""
    different = list(dict.fromkeys(patients))
    readings = await context.application.open_records(
        context.caller, different, PurposeOfUse.TREAT, paths=[path] * len(different)
    )
    found = {
        patient: reading
        for patient, reading in zip(different, readings, strict=True)
        if not isinstance(reading, RefusedReading)
    }
    volatile: set[Path] = set()  # they are told of in one answer
    for reading in found.values():
        reading.volatile = volatile
    return found


def _facility(context: Context) -> str:
    """Raises RequestRefused."""
    if context.caller.facility is None:
        raise RequestRefused("FORBIDDEN", "only who stands for a facility has referrals")
    return context.caller.facility
