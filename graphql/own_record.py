"""マイページ: what the patient herself reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.types import Info

from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import PurposeOfUse, RecordClass, ReferralState
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.paging import PAGE_DEFAULT, After, First
from tsuzuri.graphql.patient_record import PatientRecord, Summary
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.referral_types import ReferralConnection, own_referrals
from tsuzuri.graphql.statements import Source, one_of
from tsuzuri.graphql.trail_types import OwnAccessConnection, own_accesses
from tsuzuri.projections import consent_register

CONSENTS_MAX = 1_000


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


@strawberry.type(description="Your own record, who may see it, and who did.")
class Me:
    reader: strawberry.Private[RecordReader]

    @strawberry.field(description="Your record, as you may see it.")
    async def record(self) -> PatientRecord:
        return PatientRecord(reader=self.reader)

    @strawberry.field(description="6情報 at a glance.")
    async def summary(self) -> Summary:
        return Summary(reader=self.reader)

    @strawberry.field(description="同意: what you have let facilities see, newest first, ended ones too.")
    async def consents(self) -> list[Consent]:
        application = self.reader.application
        source = Source(
            consent_register.VIEW,
            await application.live_schema(consent_register.NAME),
            one_of("patient_id", self.reader.reading.sight.patients),
        )
        rows = await application.fetch(source.page([], CONSENTS_MAX, None))
        return [Consent.of(row) for row in rows]

    @strawberry.field(description="紹介: your referrals, to whom, and where each stands; newest first.")
    async def referrals(
        self, first: First = PAGE_DEFAULT, after: After = None, state: ReferralState | None = None
    ) -> ReferralConnection:
        return await own_referrals(self.reader, first, after, state)

    @strawberry.field(description="閲覧履歴: who looked, newest first.")
    async def accesses(
        self, info: Info[Context, None], first: First = PAGE_DEFAULT, after: After = None
    ) -> OwnAccessConnection:
        return await own_accesses(info.context, self.reader.reading.sight.patients, first, after)
