"""What the recipient of a referral does with it."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.inputs import PatientKey, uuid_of
from tsuzuri.graphql.permissions import allowed

OneReferral = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only this referral, which is addressed to the facility."),
]


@strawberry.type
class ReferralMutation:
    @strawberry.mutation(
        description="取得: your facility has taken the referral over; a week later it is erased. Returns its id.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST),
    )
    async def receive_referral(
        self, info: Info[Context, None], patient: PatientKey, document: strawberry.ID
    ) -> strawberry.ID:
        received = await info.context.application.receive_referral(
            info.context.caller, patient.checked(), uuid_of(document, "a document")
        )
        return strawberry.ID(str(received))
