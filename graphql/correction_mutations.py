"""What a patient asks of a facility about her record, and what the facility answers."""

from typing import Annotated

import strawberry
from strawberry import UNSET
from strawberry.types import Info

from tsuzuri.domain.correction_requests import WORDS_MAX, SubjectKey
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.enums import CorrectionKind, CorrectionOutcome
from tsuzuri.graphql.inputs import PatientKey, uuid_of
from tsuzuri.graphql.permissions import allowed


@strawberry.input(description="What a request is about: exactly one of these.", one_of=True)
class CorrectionSubject:
    entry: strawberry.ID | None = strawberry.field(default=UNSET, description="An entry that you see.")
    document: strawberry.ID | None = strawberry.field(default=UNSET, description="A document that you see.")
    facility: str | None = strawberry.field(
        default=UNSET, description="医療機関番号: all that this facility has of you."
    )

    def checked(self) -> SubjectKey:
        """Raises RequestRefused."""
        if self.entry:
            return SubjectKey(entry=uuid_of(self.entry, "an entry"))
        if self.document:
            return SubjectKey(document=uuid_of(self.document, "a document"))
        if self.facility:
            return SubjectKey(facility=self.facility)
        raise RequestRefused("BAD_INPUT", "say what it is about: an entry, a document or a facility")


@strawberry.type
class CorrectionMutation:
    @strawberry.mutation(
        description="訂正等請求・利用停止等請求: ask a facility to correct what it has of you, not to use it, or "
        "not to give it out. It must answer; nothing changes by itself. Returns the request's id.",
        permission_classes=allowed(Role.PATIENT),
    )
    async def request_correction(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        kind: CorrectionKind,
        about: CorrectionSubject,
        words: Annotated[
            str, strawberry.argument(description=f"What you ask for, in at most {WORDS_MAX} characters.")
        ],
    ) -> strawberry.ID:
        request = await info.context.application.request_correction(
            info.context.caller, patient.checked(), kind, about.checked(), words
        )
        return strawberry.ID(str(request))

    @strawberry.mutation(
        description="取下げ: you do not ask any more, and the facility does not read your words any more. "
        "Returns the event's id.",
        permission_classes=allowed(Role.PATIENT),
    )
    async def take_back_correction_request(
        self, info: Info[Context, None], patient: PatientKey, request: strawberry.ID
    ) -> strawberry.ID:
        event = await info.context.application.take_back_correction_request(
            info.context.caller, patient.checked(), uuid_of(request, "a request")
        )
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="Answer, once and for all, what a patient asks of your facility. Carry out what you accept: cancel "
        "or replace your Bundle, stop what you agreed to stop. Returns the event's id.",
        permission_classes=allowed(Role.FACILITY_ADMIN),
    )
    async def answer_correction(
        self,
        info: Info[Context, None],
        patient: PatientKey,
        request: strawberry.ID,
        outcome: CorrectionOutcome,
        words: Annotated[
            str | None,
            strawberry.argument(description="For the patient; a reason is needed unless you accept it all."),
        ] = None,
    ) -> strawberry.ID:
        event = await info.context.application.answer_correction(
            info.context.caller, patient.checked(), uuid_of(request, "a request"), outcome, words
        )
        return strawberry.ID(str(event))
