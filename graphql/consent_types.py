"""What a patient has said of who may see her record, as she reads it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain.consent_intentions import ImportedConsent
from tsuzuri.domain.previews import Preview
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import ProxyRelation, PurposeOfUse, RecordClass
from tsuzuri.graphql.facility_types import Facility


@strawberry.type(description="What one facility may see, or could.")
class Consent:
    facility_number: strawberry.Private[str]

    record_class: RecordClass = strawberry.field(description="情報の種類.")
    purpose: PurposeOfUse = strawberry.field(description="For what.")
    since: datetime = strawberry.field(description="From this moment on, UTC.")
    until: datetime = strawberry.field(description="Before this moment, UTC.")
    given: str = strawberry.field(description="How you gave it: card-reader, oral, patient.")
    ended_at: datetime | None = strawberry.field(description="When it was withdrawn or given anew, UTC.")
    withdrawn: bool = strawberry.field(description="You took it back.")
    document_id: strawberry.ID | None = strawberry.field(description="The one referral it is for.")

    @strawberry.field(description="医療機関.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            facility_number=row["facility"],
            record_class=RecordClass(row["recordClass"]),
            purpose=PurposeOfUse(row["purpose"]),
            since=row["since"],
            until=row["until"],
            given=row["given"],
            ended_at=row["endedAt"],
            withdrawn=row["withdrawn"],
            document_id=None if row["documentId"] is None else strawberry.ID(str(row["documentId"])),
        )


@strawberry.type(description="拒否: what you keep from a facility, or from every one.")
class Denial:
    facility_number: strawberry.Private[str | None]

    id: strawberry.ID = strawberry.field(description="Lift it by this.")
    classes: list[RecordClass] = strawberry.field(description="情報の種類; none listed: all of them.")
    denied_at: datetime = strawberry.field(description="When it was recorded, UTC.")
    lifted_at: datetime | None = strawberry.field(description="When you took it back, UTC.")

    @strawberry.field(description="医療機関. Null: every one.")
    async def facility(self, info: Info[Context, None]) -> Facility | None:
        if self.facility_number is None:
            return None
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            facility_number=row["facility"],
            id=strawberry.ID(str(row["id"])),
            classes=[RecordClass(one) for one in row["recordClasses"]],
            denied_at=row["deniedAt"],
            lifted_at=row["liftedAt"],
        )


@strawberry.type(description="代理人: who sees exactly what you see.")
class Proxy:
    id: strawberry.ID = strawberry.field(description="End it by this.")
    person: str = strawberry.field(description="The proxy's id, as her token says it.")
    relation: ProxyRelation = strawberry.field(description="What she is to you.")
    since: datetime = strawberry.field(description="From this moment on, UTC.")
    until: datetime = strawberry.field(description="Before this moment, UTC.")
    ended_at: datetime | None = strawberry.field(description="When it was ended before its time, UTC.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            id=strawberry.ID(str(row["id"])),
            person=row["person"],
            relation=ProxyRelation(row["relation"]),
            since=row["since"],
            until=row["until"],
            ended_at=row["endedAt"],
        )


@strawberry.type(description="What became of a FHIR Consent: all that it means was carried out.")
class ConsentImport:
    events: list[strawberry.ID] = strawberry.field(description="One for each change, in its order.")
    not_kept: list[str] = strawberry.field(
        description="What it says beside that, by FHIR path: it changes nobody's sight, and is not stored."
    )

    @classmethod
    def of(cls, imported: ImportedConsent) -> Self:
        events = [strawberry.ID(str(event)) for event in imported.events]
        return cls(events=events, not_kept=list(imported.not_kept))


@strawberry.type(description="What a change would mean for one facility, beside what it registered itself.")
class ConsentPreview:
    facility_number: strawberry.Private[str]

    gains: list[RecordClass] = strawberry.field(description="What it could see that it cannot now.")
    loses: list[RecordClass] = strawberry.field(description="What it could not see any more.")
    sees: list[RecordClass] = strawberry.field(description="All that it could see then.")

    @strawberry.field(description="医療機関.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, told: Preview) -> Self:
        return cls(
            facility_number=told.facility,
            gains=list(told.gains),
            loses=list(told.loses),
            sees=list(told.sees),
        )
