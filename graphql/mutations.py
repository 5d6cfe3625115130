"""The root of all writing. Every field names the roles that may use it."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import DocumentKind, PurposeOfUse, RecordClass, Registration
from tsuzuri.graphql.facility_mutations import FacilityMutation
from tsuzuri.graphql.identity_mutations import IdentityMutation
from tsuzuri.graphql.inputs import BundleIdentifier, PatientKey, uuid_of
from tsuzuri.graphql.operator_mutations import OperatorMutation
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.referral_mutations import OneReferral, ReferralMutation
from tsuzuri.graphql.statements import aware


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
class Mutation(FacilityMutation, IdentityMutation, OperatorMutation, ReferralMutation):
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

    @strawberry.mutation(
        description="同意: let a facility see classes of the record, until a moment or for 24 hours.",
        permission_classes=allowed(Role.PATIENT, Role.SYSTEM),
    )
    async def grant_consent(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        facility: str,
        classes: list[RecordClass],
        purpose: PurposeOfUse = vocabulary.PurposeOfUse.TREAT,
        until: datetime | None = None,
        document: OneReferral = None,
    ) -> strawberry.ID:
        event = await info.context.application.grant_consent(
            info.context.caller,
            patient.checked(),
            facility,
            classes,
            purpose,
            aware(until) if until else None,
            None if document is None else uuid_of(document, "a document"),
        )
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="同意の撤回: take back what a facility may see; all of it when no class is listed.",
        permission_classes=allowed(Role.PATIENT, Role.SYSTEM),
    )
    async def withdraw_consent(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        facility: str,
        classes: list[RecordClass] | None = None,
        document: OneReferral = None,
    ) -> strawberry.ID:
        event = await info.context.application.withdraw_consent(
            info.context.caller,
            patient.checked(),
            facility,
            classes or [],
            None if document is None else uuid_of(document, "a document"),
        )
        return strawberry.ID(str(event))
