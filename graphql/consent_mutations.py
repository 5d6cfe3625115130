"""What the patient says of who may see her record: consents, denials, and who stands for her."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.consent_types import ConsentImport
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import ProxyRelation, PurposeOfUse, RecordClass
from tsuzuri.graphql.inputs import PatientKey, uuid_of
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.referral_mutations import OneReferral
from tsuzuri.graphql.statements import aware


@strawberry.type
class ConsentMutation:
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

    @strawberry.mutation(
        description="拒否: keep classes (none: all) from a facility (none: every one), whatever you consent to. "
        "Returns the denial's id.",
        permission_classes=allowed(Role.PATIENT),
    )
    async def deny_consent(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        facility: str | None = None,
        classes: list[RecordClass] | None = None,
    ) -> strawberry.ID:
        denial = await info.context.application.deny_consent(
            info.context.caller, patient.checked(), facility, classes or []
        )
        return strawberry.ID(str(denial))

    @strawberry.mutation(
        description="FHIR R4: grant, deny, appoint or withdraw as a Consent resource says, all of it or nothing. "
        "One that cannot be taken exactly is refused, with what is missing.",
        permission_classes=allowed(Role.PATIENT),
    )
    async def import_consent(
        self,
        info: Info[Context, None],
        resource: Annotated[str, strawberry.argument(description="A FHIR R4 Consent: JSON, as text.")],
    ) -> ConsentImport:
        imported = await info.context.application.import_consent(info.context.caller, resource.encode())
        return ConsentImport.of(imported)

    @strawberry.mutation(
        description="Take a denial back: what was consented to counts again. Returns the event's id.",
        permission_classes=allowed(Role.PATIENT),
    )
    async def lift_denial(
        self, info: Info[Context, None], patient: PatientKey, denial: strawberry.ID
    ) -> strawberry.ID:
        event = await info.context.application.lift_denial(
            info.context.caller, patient.checked(), uuid_of(denial, "a denial")
        )
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="代理人: somebody sees exactly what the patient sees, for a time. Returns the appointment's id.",
        permission_classes=allowed(Role.PATIENT, Role.OPERATOR),
    )
    async def appoint_proxy(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        person: Annotated[str, strawberry.argument(description="The proxy's id, as her token says it.")],
        relation: ProxyRelation,
        until: datetime,
    ) -> strawberry.ID:
        proxy = await info.context.application.appoint_proxy(
            info.context.caller, patient.checked(), person, relation, aware(until)
        )
        return strawberry.ID(str(proxy))

    @strawberry.mutation(
        description="End an appointment before its time. Returns the event's id.",
        permission_classes=allowed(Role.PATIENT, Role.OPERATOR),
    )
    async def end_proxy(
        self, info: Info[Context, None], patient: PatientKey, proxy: strawberry.ID
    ) -> strawberry.ID:
        event = await info.context.application.end_proxy(
            info.context.caller, patient.checked(), uuid_of(proxy, "an appointment")
        )
        return strawberry.ID(str(event))
