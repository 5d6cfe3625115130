"""The root of all writing. Every field names the roles that may use it."""

from typing import Annotated, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.consent_mutations import ConsentMutation
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.correction_mutations import CorrectionMutation
from tsuzuri.graphql.emergency_mutations import EmergencyMutation
from tsuzuri.graphql.enums import DocumentKind, Registration
from tsuzuri.graphql.facility_mutations import FacilityMutation
from tsuzuri.graphql.identity_mutations import IdentityMutation
from tsuzuri.graphql.inputs import BundleIdentifier, PatientKey
from tsuzuri.graphql.operator_mutations import OperatorMutation
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.referral_mutations import ReferralMutation
from tsuzuri.graphql.replay_types import ReplayMutation
from tsuzuri.graphql.review_mutations import ReviewMutation


@strawberry.type(description="What became of a Bundle.")
class BundleRegistration:
    outcome: Registration = strawberry.field(description="What became of it.")
    document: strawberry.ID = strawberry.field(description="Its id here.")
    kind: DocumentKind = strawberry.field(description="文書種別.")
    entries: int = strawberry.field(description="How many entries it gave.")
    warnings: list[str] = strawberry.field(description="What was odd but accepted.")

    @classmethod
    def of(cls, registered: RegisteredBundle) -> Self:
        return cls(
            outcome=registered.outcome,
            document=strawberry.ID(str(registered.document)),
            kind=registered.kind,
            entries=registered.entries,
            warnings=list(registered.warnings),
        )


@strawberry.type(
    description="Everything that can be changed. Each change is an event; nothing is overwritten."
)
class Mutation(
    ConsentMutation,
    CorrectionMutation,
    EmergencyMutation,
    FacilityMutation,
    IdentityMutation,
    OperatorMutation,
    ReferralMutation,
    ReplayMutation,
    ReviewMutation,
):
    @strawberry.mutation(
        description="Register a Bundle, or replace the one under the same identifier. POST /bundles keeps raw bytes.",
        permission_classes=allowed(Role.SYSTEM),
    )
    async def register_bundle(
        self,
        info: Info[Context, None],
        bundle: Annotated[str, strawberry.argument(description="FHIR R4 JSON, as text; kept as it is.")],
        oral_consent: Annotated[
            bool,
            strawberry.argument(
                description="口頭同意: she told you that the recipient of this referral may read it."
            ),
        ] = False,
    ) -> BundleRegistration:
        registered = await info.context.application.register_bundle(
            info.context.caller, bundle.encode(), oral_consent=oral_consent
        )
        return BundleRegistration.of(registered)

    @strawberry.mutation(
        description="取消: take back the Bundle you registered. Returns its id.",
        permission_classes=allowed(Role.SYSTEM),
    )
    async def cancel_bundle(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        identifier: BundleIdentifier,
        kind: DocumentKind,
        reason: str,
    ) -> strawberry.ID:
        document = await info.context.application.cancel_bundle(
            info.context.caller, patient.checked(), identifier.system, identifier.value, kind, reason
        )
        return strawberry.ID(str(document))

    @strawberry.mutation(
        description="取消UNDO: put the Bundle you cancelled in force again. Returns its id.",
        permission_classes=allowed(Role.SYSTEM),
    )
    async def restore_bundle(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        identifier: BundleIdentifier,
        kind: DocumentKind,
        reason: str,
    ) -> strawberry.ID:
        document = await info.context.application.restore_bundle(
            info.context.caller, patient.checked(), identifier.system, identifier.value, kind, reason
        )
        return strawberry.ID(str(document))
