"""The root of all reading. Every field names the roles that may use it."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql import correction_lists, facility_types, referral_types
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.correction_types import CorrectionInbox, OverdueCorrectionConnection
from tsuzuri.graphql.entitlement_types import EntitlementQuery
from tsuzuri.graphql.enums import CorrectionState, PurposeOfUse, ReferralState
from tsuzuri.graphql.explanation_types import ExplanationQuery
from tsuzuri.graphql.facility_types import FacilityConnection, FacilityFilter
from tsuzuri.graphql.identity_types import UnmatchedIdentityConnection, unmatched
from tsuzuri.graphql.inputs import AsOf, PatientKey, uuid_of
from tsuzuri.graphql.node_query import NodeQuery
from tsuzuri.graphql.operator_types import Projection, ProjectionCheck, QuarantinedPatient
from tsuzuri.graphql.own_record import Me
from tsuzuri.graphql.paging import (
    PATIENTS_MAX,
    After,
    Before,
    First,
    FirstOverPatients,
    Last,
    LastOverPatients,
    Stretch,
    stretch,
)
from tsuzuri.graphql.patient_record import AccessRefused, PatientRecord, PatientRecordResult
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.proof_types import ProofQuery
from tsuzuri.graphql.readings import RefusedReading, TrailReading
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.records_query import RecordsQuery
from tsuzuri.graphql.referral_types import ReferralConnection, ReferralInbox
from tsuzuri.graphql.review_types import ReviewQuery
from tsuzuri.graphql.selections import asks_for
from tsuzuri.graphql.statements import equal
from tsuzuri.graphql.trail_types import Access, AccessTrail, TrailFilter, accesses

EVERYBODY = tuple(Role)
MinPosition = Annotated[
    str | None, strawberry.argument(description="Wait until the index has reached this position.")
]


@strawberry.type(description="Everything that can be read.")
class Query(EntitlementQuery, ExplanationQuery, NodeQuery, ProofQuery, RecordsQuery, ReviewQuery):
    @strawberry.field(
        description="A patient's record, as far as you may see it. The read is in the audit trail.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST, Role.FACILITY_ADMIN, Role.PATIENT),
    )
    async def patient_record(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        purpose: PurposeOfUse = vocabulary.PurposeOfUse.TREAT,
        as_of: AsOf | None = None,
        min_position: MinPosition = None,
    ) -> PatientRecordResult:
        context = info.context
        opened_record = await context.application.open_record(
            context.caller,
            patient.checked(),
            purpose,
            as_of=as_of.checked() if as_of else None,
            min_position=min_position,
            path=tuple(info.path.as_list()),
        )
        if isinstance(opened_record, RefusedReading):
            context.readings.refused.append(opened_record)
            return AccessRefused.of(opened_record)
        context.readings.permitted.append(opened_record)
        if opened_record.problem is not None:
            raise RequestRefused(*opened_record.problem)
        return PatientRecord(reader=RecordReader(context, opened_record))

    @strawberry.field(
        description="Your own record, who may see it, and who did; or that of somebody for whom you stand. "
        "Null: you do not stand for her.",
        permission_classes=allowed(Role.PATIENT),
    )
    async def me(
        self,
        info: Info[Context, None],
        patient: Annotated[
            strawberry.ID | None, strawberry.argument(description="代理人: whose record, not your own.")
        ] = None,
        min_position: MinPosition = None,
    ) -> Me | None:
        context = info.context
        own = context.caller.patient
        asked = own if patient is None else uuid_of(patient, "a patient")
        if asked is None:
            raise RequestRefused("BAD_INPUT", "say whose record: you have none of your own here")
        purposes = vocabulary.PurposeOfUse
        reading = await context.application.open_record(
            context.caller,
            asked,
            purposes.PATRQT if asked == own else purposes.FAMRQT,
            as_of=None,
            min_position=min_position,
            path=tuple(info.path.as_list()),
        )
        if isinstance(reading, RefusedReading):
            context.readings.refused.append(reading)
            return None
        context.readings.permitted.append(reading)
        if reading.problem is not None:
            raise RequestRefused(*reading.problem)
        return Me(reader=RecordReader(context, reading))

    @strawberry.field(
        description="紹介: referrals to your facility that you may read now. Each look is in the audit trail.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST),
    )
    async def referral_inbox(
        self,
        info: Info[Context, None],
        first: FirstOverPatients = None,
        after: After = None,
        last: LastOverPatients = None,
        before: Before = None,
        state: ReferralState | None = None,
    ) -> ReferralInbox:
        wanted = stretch(first, after, last, before, PATIENTS_MAX)
        return await referral_types.inbox(info.context, tuple(info.path.as_list()), wanted, state)

    @strawberry.field(
        description="紹介: where the referrals stand that your facility sent. Each look is in the audit trail.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST, Role.SYSTEM),
    )
    async def referral_outbox(
        self,
        info: Info[Context, None],
        first: FirstOverPatients = None,
        after: After = None,
        last: LastOverPatients = None,
        before: Before = None,
        state: ReferralState | None = None,
    ) -> ReferralConnection:
        wanted = stretch(first, after, last, before, PATIENTS_MAX)
        return await referral_types.outbox(info.context, tuple(info.path.as_list()), wanted, state)

    @strawberry.field(
        description="訂正等請求・利用停止等請求: what patients ask of your facility, and since when. "
        "Each look is in the audit trail.",
        permission_classes=allowed(Role.FACILITY_ADMIN),
    )
    async def correction_requests(
        self,
        info: Info[Context, None],
        state: CorrectionState | None = None,
        first: FirstOverPatients = None,
        after: After = None,
        last: LastOverPatients = None,
        before: Before = None,
    ) -> CorrectionInbox:
        wanted = stretch(first, after, last, before, PATIENTS_MAX)
        return await correction_lists.inbox(info.context, tuple(info.path.as_list()), wanted, state)

    @strawberry.field(
        description="Requests that a facility should have answered by now, without the patients' words. "
        "Each look is in the audit trail.",
        permission_classes=allowed(Role.AUDITOR),
    )
    async def overdue_corrections(
        self,
        info: Info[Context, None],
        first: FirstOverPatients = None,
        after: After = None,
        last: LastOverPatients = None,
        before: Before = None,
    ) -> OverdueCorrectionConnection:
        wanted = stretch(first, after, last, before, PATIENTS_MAX)
        return await correction_lists.overdue(info.context, tuple(info.path.as_list()), wanted)

    @strawberry.field(
        description="監査証跡: every access, newest first. Looking is in the trail too.",
        permission_classes=allowed(Role.AUDITOR),
    )
    async def access_trail(
        self,
        info: Info[Context, None],
        filter: TrailFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AccessTrail:
        context, wanted = info.context, stretch(first, after, last, before)
        filter = filter or TrailFilter()
        whole = await context.application.trail_complete_until() if asks_for(info, "completeUntil") else None
        look = TrailReading(access_id=context.application.new_id(), patient=filter.patient_id())
        listed = await accesses(context, "trail", filter.where(), wanted, Access.of, look.show)
        context.readings.trail.append(look)
        return AccessTrail(
            listed=listed,
            access_id=strawberry.ID(str(look.access_id)),
            whole=whole,
        )

    @strawberry.field(
        description="One access, by the id that was quoted. Looking is in the trail too.",
        permission_classes=allowed(Role.AUDITOR),
    )
    async def access(self, info: Info[Context, None], id: strawberry.ID) -> Access | None:
        wanted = equal("access", uuid_of(id, "an access"))
        context = info.context
        matching = await accesses(context, "access", [wanted], Stretch(1, None, backward=False), Access.of)
        found: Access | None = next((edge.node for edge in await matching.edges()), None)
        patient = UUID(found.patient) if found and found.patient else None
        look = TrailReading(
            access_id=context.application.new_id(), patient=patient, shown=int(found is not None)
        )
        context.readings.trail.append(look)
        return found

    @strawberry.field(description="Where each projection stands.", permission_classes=allowed(Role.OPERATOR))
    async def projections(self, info: Info[Context, None]) -> list[Projection]:
        return [Projection.of(standing) for standing in await info.context.application.projection_standings()]

    @strawberry.field(
        description="Patients set aside at an event that could not be applied, the longest first.",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def quarantined_patients(
        self, info: Info[Context, None], name: str | None = None
    ) -> list[QuarantinedPatient]:
        found = await info.context.application.quarantined_patients(name)
        return [QuarantinedPatient.of(one) for one in found]

    @strawberry.field(
        description="Whom Bundles were taken to be about, where a person must look; newest first.",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def unmatched_identities(
        self,
        info: Info[Context, None],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> UnmatchedIdentityConnection:
        return await unmatched(info.context, stretch(first, after, last, before))

    @strawberry.field(
        description="Compare the live generation with the one beside it, patient by patient.",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def projection_check(self, info: Info[Context, None], name: str) -> ProjectionCheck:
        context = info.context
        return ProjectionCheck.of(await context.application.check_projection(context.caller, name))

    @strawberry.field(
        description="医療機関: the listed ones, also those that are closed.",
        permission_classes=allowed(*EVERYBODY),
    )
    async def facilities(
        self,
        info: Info[Context, None],
        filter: FacilityFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> FacilityConnection:
        wanted = stretch(first, after, last, before)
        return await facility_types.listed(info.context.application, filter, wanted)
