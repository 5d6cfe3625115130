"""マイページ: what the patient herself reads."""

from datetime import datetime
from typing import Annotated, Any

import orjson
import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.graphql.consent_types import Consent, ConsentPreview, Denial, Proxy
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.correction_lists import own_requests
from tsuzuri.graphql.correction_types import CorrectionRequestConnection
from tsuzuri.graphql.emergency_types import OwnEmergency
from tsuzuri.graphql.enums import ConsentChange, RecordClass, ReferralState
from tsuzuri.graphql.paging import (
    After,
    Before,
    First,
    Last,
    stretch,
)
from tsuzuri.graphql.patient_record import PatientRecord, Summary
from tsuzuri.graphql.proof_types import AccessesProof, proven_accesses
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.referral_types import OwnReferralConnection, own_referrals
from tsuzuri.graphql.statements import Source, aware, one_of
from tsuzuri.graphql.trail_types import OwnAccessConnection, own_accesses
from tsuzuri.projections import audit_trail, consent_register, declared_emergencies
from tsuzuri.projections.sql import SQL
from tsuzuri.projections.view import View

CONSENTS_MAX = 1_000


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
        return [Consent.of(row) for row in await self._said(consent_register.VIEW)]

    @strawberry.field(
        description="What a change of your consents would mean: the facilities that would gain or lose something now."
    )
    async def preview(
        self,
        change: ConsentChange,
        facility: Annotated[
            str | None, strawberry.argument(description="医療機関番号; none: every one, of a denial.")
        ] = None,
        classes: list[RecordClass] | None = None,
        until: datetime | None = None,
    ) -> list[ConsentPreview]:
        if facility is None and change is not vocabulary.ConsentChange.DENY:
            raise RequestRefused("BAD_INPUT", "say which facility: only a denial is to every one")
        patient = self.reader.reading.sight.patient
        told = await self.reader.application.preview_consent(
            patient, change, facility, classes or [], aware(until) if until else None
        )
        return [ConsentPreview.of(one) for one in told]

    @strawberry.field(description="拒否: what you keep from facilities, newest first, lifted ones too.")
    async def denials(self) -> list[Denial]:
        return [Denial.of(row) for row in await self._said(consent_register.DENIALS)]

    @strawberry.field(description="代理人: who stands for you, newest first, ended ones too.")
    async def proxies(self) -> list[Proxy]:
        return [Proxy.of(row) for row in await self._said(consent_register.PROXIES)]

    @strawberry.field(
        description="救急: the emergencies that opened your record without your consent, newest first, those that are "
        "over too."
    )
    async def emergencies(self) -> list[OwnEmergency]:
        at = self.reader.reading.sight.decided_at
        return [OwnEmergency.of(row, at) for row in await self._said(declared_emergencies.VIEW)]

    @strawberry.field(
        description="FHIR R4: your consents, denials and proxies that stand now, each a Consent: JSON, as text. "
        "Sent to importConsent with the status inactive, one ends."
    )
    async def consent_resources(self) -> list[str]:
        told = await self.reader.application.consent_resources(self.reader.reading.sight.patient)
        return [orjson.dumps(one).decode() for one in told]

    @strawberry.field(description="紹介: your referrals, to whom, and where each stands; newest first.")
    async def referrals(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        state: ReferralState | None = None,
    ) -> OwnReferralConnection:
        return await own_referrals(self.reader, stretch(first, after, last, before), state)

    @strawberry.field(
        description="訂正等請求・利用停止等請求: what you asked of facilities, and their answers; newest first."
    )
    async def correction_requests(
        self, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> CorrectionRequestConnection:
        return await own_requests(self.reader, stretch(first, after, last, before))

    @strawberry.field(description="閲覧履歴: who looked, newest first.")
    async def accesses(
        self,
        info: Info[Context, None],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> OwnAccessConnection:
        wanted = stretch(first, after, last, before)
        lies = await self.reader.beside(audit_trail.NAME)
        return await own_accesses(info.context, self.reader.reading.sight.patients, wanted, lies.schema)

    @strawberry.field(
        description="閲覧履歴の証明: that the reads of your record in this list are all there were, none left out and "
        "none changed. You need not believe us: anybody can check the file without us."
    )
    async def accesses_proof(self, info: Info[Context, None]) -> AccessesProof:
        self.reader.reading.volatile.add(tuple(info.path.as_list()))
        return await proven_accesses(info.context, self.reader.reading.sight.patients)

    async def _said(self, view: View) -> list[dict[str, Any]]:
        """What she has said, or was done of her, under any of her numbers, newest first."""
        application, sight = self.reader.application, self.reader.reading.sight
        schema = (await self.reader.beside(consent_register.NAME)).schema
        hers = SQL("{} AND {}").format(sight.fence(), one_of("patient_id", sight.patients))
        return await application.fetch(Source(view, schema, hers).page([], CONSENTS_MAX, None))
