"""The root of all watching. Every field names the roles that may use it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.enums import PurposeOfUse
from tsuzuri.graphql.inputs import PatientKey, uuid_of
from tsuzuri.graphql.operator_types import ProjectionProgress
from tsuzuri.graphql.patient_record import AccessRefused
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import RefusedReading
from tsuzuri.graphql.watch_types import AccessedResult, NewAccess, RecordChanged, RecordChangedResult, Since


@strawberry.type(
    description="Everything that can be watched: over a WebSocket (graphql-transport-ws) or with "
    "Accept: text/event-stream."
)
class Subscription:
    @strawberry.subscription(
        description="""A patient's record: you are told each time that something you may see has changed, never what.
The first event comes at once and says where you begin; with `after`, it comes when something has changed since.
Whether you still may is decided anew before each; AccessRefused is the last. Each is in the audit trail.""",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST, Role.FACILITY_ADMIN, Role.PATIENT),
    )
    async def record_changed(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        purpose: PurposeOfUse = vocabulary.PurposeOfUse.TREAT,
        after: Since = None,
    ) -> AsyncGenerator[RecordChangedResult, None]:
        context = info.context
        assert context.operation is not None
        watched = context.application.watch_record(
            context.caller, patient.checked(), purpose, after, context.operation
        )
        async with aclosing(watched):
            async for told in watched:
                yield AccessRefused.of(told) if isinstance(told, RefusedReading) else RecordChanged.of(told)

    @strawberry.subscription(
        description="""閲覧履歴: who looks at your record, or at that of somebody for whom you stand: what the list of
accesses shows, each once, in its order. The first is this very look; with `after`, the one behind that position.
Whether you still may is decided anew before each; AccessRefused is the last.""",
        permission_classes=allowed(Role.PATIENT),
    )
    async def accessed(
        self,
        info: Info[Context, None],
        patient: Annotated[
            strawberry.ID | None, strawberry.argument(description="代理人: whose record, not your own.")
        ] = None,
        after: Since = None,
    ) -> AsyncGenerator[AccessedResult, None]:
        context = info.context
        assert context.operation is not None
        whose = context.caller.patient if patient is None else uuid_of(patient, "a patient")
        if whose is None:
            raise RequestRefused("BAD_INPUT", "say whose record: you have none of your own here")
        watched = context.application.watch_accesses(context.caller, whose, after, context.operation)
        async with aclosing(watched):
            async for told in watched:
                yield AccessRefused.of(told) if isinstance(told, RefusedReading) else NewAccess.of(told)

    @strawberry.subscription(
        description="""How far a projection has come: at once, then each second in which something changed.
Of the generation beside the live one, until it was promoted, cancelled or dropped, which is told last; of the live one
for as long as there is none beside it.""",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def projection_progress(
        self, info: Info[Context, None], name: str
    ) -> AsyncGenerator[ProjectionProgress, None]:
        async with aclosing(info.context.application.watch_projection(name)) as watched:
            async for progress in watched:
                yield ProjectionProgress.of(progress)
