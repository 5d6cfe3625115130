"""救急・災害: what opens a record without consent. Each is an event, and each read under it is reviewed."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, Declared
from tsuzuri.graphql.inputs import PatientKey, uuid_of
from tsuzuri.graphql.patient_record import AccessRefused
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import RefusedReading
from tsuzuri.graphql.statements import aware

Why = Annotated[str, strawberry.argument(description="Why, in one line: it will be reviewed.")]
AT_BEDSIDE = allowed(Role.CLINICIAN, Role.PHARMACIST)
ADMINISTRATORS = allowed(Role.FACILITY_ADMIN)
OPERATING_BODY = allowed(Role.OPERATOR)


@strawberry.type(description="救急時の閲覧: read with purpose BTG or ETREAT until it ends.")
class Emergency:
    id: strawberry.ID = strawberry.field(description="Its id; the reads under it cite it.")
    patient: strawberry.ID = strawberry.field(description="Whom it opens.")
    until: datetime = strawberry.field(description="When it ends, at the latest.")

    @classmethod
    def of(cls, declared: Declared) -> Self:
        return cls(
            id=strawberry.ID(str(declared.emergency)),
            patient=strawberry.ID(str(declared.patient)),
            until=declared.until,
        )


EmergencyResult = Annotated[Emergency | AccessRefused, strawberry.union("EmergencyResult")]


@strawberry.type
class EmergencyMutation:
    @strawberry.mutation(
        description="救急: open a record without consent, to you, here, for at most 60 minutes; its emergency table "
        "first. The patient is told, and it is reviewed.",
        permission_classes=AT_BEDSIDE,
    )
    async def declare_emergency(
        self, info: Info[Context, None], patient: PatientKey, reason: Why, minutes: int = 60
    ) -> EmergencyResult:
        context = info.context
        declared = await context.application.declare_emergency(
            context.caller, patient.checked(), reason, minutes
        )
        if isinstance(declared, RefusedReading):
            context.readings.refused.append(declared)
            return AccessRefused.of(declared)
        return Emergency.of(declared)

    @strawberry.mutation(
        description="The second step: the rest of the record, when the table is not enough. Returns the event's id.",
        permission_classes=AT_BEDSIDE,
    )
    async def widen_emergency(
        self, info: Info[Context, None], patient: PatientKey, emergency: strawberry.ID, reason: Why
    ) -> strawberry.ID:
        event = await info.context.application.widen_emergency(
            info.context.caller, patient.checked(), uuid_of(emergency, "an emergency"), reason
        )
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="You need it no more. Returns the event's id.", permission_classes=AT_BEDSIDE
    )
    async def end_emergency(
        self, info: Info[Context, None], patient: PatientKey, emergency: strawberry.ID
    ) -> strawberry.ID:
        event = await info.context.application.end_emergency(
            info.context.caller, patient.checked(), uuid_of(emergency, "an emergency")
        )
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="Let one person declare emergencies at your hospital, until a moment. Returns the right's id.",
        permission_classes=ADMINISTRATORS,
    )
    async def give_emergency_right(
        self, info: Info[Context, None], person: str, until: datetime
    ) -> strawberry.ID:
        right = await info.context.application.give_emergency_right(info.context.caller, person, aware(until))
        return strawberry.ID(str(right))

    @strawberry.mutation(
        description="Take the right back, at once. Returns the event's id.", permission_classes=ADMINISTRATORS
    )
    async def take_emergency_right(self, info: Info[Context, None], right: strawberry.ID) -> strawberry.ID:
        event = await info.context.application.take_emergency_right(
            info.context.caller, uuid_of(right, "a right")
        )
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="災害: open the records to the facilities of municipalities (市区町村コード), from now or a moment "
        "on, to another. Open another one to prolong it. Returns its id.",
        permission_classes=OPERATING_BODY,
    )
    async def open_disaster_window(
        self,
        info: Info[Context, None],
        municipalities: list[str],
        until: datetime,
        reason: Why,
        since: datetime | None = None,
    ) -> strawberry.ID:
        window = await info.context.application.open_disaster_window(
            info.context.caller, municipalities, aware(since) if since else None, aware(until), reason
        )
        return strawberry.ID(str(window))

    @strawberry.mutation(
        description="Close a window at once, for these municipalities or for all. Returns the event's id.",
        permission_classes=OPERATING_BODY,
    )
    async def close_disaster_window(
        self, info: Info[Context, None], window: strawberry.ID, municipalities: list[str] | None = None
    ) -> strawberry.ID:
        event = await info.context.application.close_disaster_window(
            info.context.caller, uuid_of(window, "a window"), municipalities or []
        )
        return strawberry.ID(str(event))
