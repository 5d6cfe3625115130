"""The root of all reading. Every field names the roles that may use it."""

from datetime import datetime
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
from tsuzuri.graphql.facility_types import Facility, FacilityConnection, FacilityFilter
from tsuzuri.graphql.identity_types import UnmatchedIdentityConnection, unmatched
from tsuzuri.graphql.inputs import AsOf, PatientKey, uuid_of
from tsuzuri.graphql.operator_types import Projection, ProjectionCheck, QuarantinedPatient
from tsuzuri.graphql.own_record import Me
from tsuzuri.graphql.paging import PAGE_DEFAULT, After, First, opened, page, page_size
from tsuzuri.graphql.patient_record import AccessRefused, PatientRecord, PatientRecordResult
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import RefusedReading, TrailReading
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.referral_types import ReferralConnection, ReferralInbox
from tsuzuri.graphql.review_types import ReviewQuery
from tsuzuri.graphql.statements import equal
from tsuzuri.graphql.trail_types import Access, AccessTrail, TrailFilter, accesses

EVERYBODY = tuple(Role)


@strawberry.type(description="Everything that can be read.")
class Query(EntitlementQuery, ExplanationQuery, ReviewQuery):
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
        min_position: Annotated[
            str | None, strawberry.argument(description="Wait until the index has reached this position.")
        ] = None,
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
            min_position=None,
            path=tuple(info.path.as_list()),
        )
        if isinstance(reading, RefusedReading):
            context.readings.refused.append(reading)
            return None
        context.readings.permitted.append(reading)
        return Me(reader=RecordReader(context, reading))

    @strawberry.field(
        description="紹介: referrals to your facility that you may read now. Each look is in the audit trail.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST),
    )
    async def referral_inbox(
        self,
        info: Info[Context, None],
        first: First = PAGE_DEFAULT,
        after: After = None,
        state: ReferralState | None = None,
    ) -> ReferralInbox:
        return await referral_types.inbox(info.context, tuple(info.path.as_list()), first, after, state)

    @strawberry.field(
        description="紹介: where the referrals stand that your facility sent. Each look is in the audit trail.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST, Role.SYSTEM),
    )
    async def referral_outbox(
        self,
        info: Info[Context, None],
        first: First = PAGE_DEFAULT,
        after: After = None,
        state: ReferralState | None = None,
    ) -> ReferralConnection:
        return await referral_types.outbox(info.context, tuple(info.path.as_list()), first, after, state)

    @strawberry.field(
        description="訂正等請求・利用停止等請求: what patients ask of your facility, and since when. "
        "Each look is in the audit trail.",
        permission_classes=allowed(Role.FACILITY_ADMIN),
    )
    async def correction_requests(
        self,
        info: Info[Context, None],
        state: CorrectionState | None = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> CorrectionInbox:
        return await correction_lists.inbox(info.context, tuple(info.path.as_list()), first, after, state)

    @strawberry.field(
        description="Requests that a facility should have answered by now, without the patients' words. "
        "Each look is in the audit trail.",
        permission_classes=allowed(Role.AUDITOR),
    )
    async def overdue_corrections(
        self, info: Info[Context, None], first: First = PAGE_DEFAULT, after: After = None
    ) -> OverdueCorrectionConnection:
        return await correction_lists.overdue(info.context, tuple(info.path.as_list()), first, after)

    @strawberry.field(
        description="監査証跡: every access, newest first. Looking is in the trail too.",
        permission_classes=allowed(Role.AUDITOR),
    )
    async def access_trail(
        self,
        info: Info[Context, None],
        filter: TrailFilter | None = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> AccessTrail:
        context = info.context
        wanted = filter or TrailFilter()
        complete_until: datetime = await context.application.trail_complete_until()
        rows, total = await accesses(context, "trail", wanted.where(), first, after)
        nodes = [(Access.of(row), cursor) for row, cursor in rows]
        edges, page_info = page(context.application.seals, "trail", nodes, first, began=after is not None)
        look = TrailReading(
            access_id=context.application.new_id(), patient=wanted.patient_id(), shown=len(edges)
        )
        context.readings.trail.append(look)
        return AccessTrail(
            edges=edges,
            page_info=page_info,
            access_id=strawberry.ID(str(look.access_id)),
            total_count=total,
            complete_until=complete_until,
        )

    @strawberry.field(
        description="One access, by the id that was quoted. Looking is in the trail too.",
        permission_classes=allowed(Role.AUDITOR),
    )
    async def access(self, info: Info[Context, None], id: strawberry.ID) -> Access | None:
        wanted = equal("access", uuid_of(id, "an access"))
        context = info.context
        rows, _ = await accesses(context, "access", [wanted], 1, None)
        found = Access.of(rows[0][0]) if rows else None
        patient = UUID(found.patient) if found and found.patient else None
        look = TrailReading(access_id=context.application.new_id(), patient=patient, shown=len(rows))
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
        self, info: Info[Context, None], first: First = PAGE_DEFAULT, after: After = None
    ) -> UnmatchedIdentityConnection:
        return await unmatched(info.context, first, after)

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
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> FacilityConnection:
        application = info.context.application
        source = await facility_types.source(application)
        cursor = opened(application.seals, "facilities", after)
        where = (filter or FacilityFilter()).where()
        rows = await application.fetch(source.page(where, page_size(first), cursor))
        nodes = [(Facility.of(row["number"], row), row["_cursor"]) for row in rows]
        edges, page_info = page(application.seals, "facilities", nodes, first, began=after is not None)
        return FacilityConnection(edges=edges, page_info=page_info)
