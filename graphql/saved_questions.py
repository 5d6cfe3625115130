"""監査の定型質問: the questions that auditors ask, as a catalogue and as one field that answers them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain import answers, questions, vocabulary
from tsuzuri.domain.questions import CATALOGUE, Asked, Parameter, Question
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import AccessBasis, Language, RecordClass, Role
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.inputs import uuid_of
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import TrailReading
from tsuzuri.graphql.statements import aware

strawberry.enum(
    Question,
    name="AuditQuestion",
    description="Questions that are asked again and again: see savedQuestions.",
)
strawberry.enum(
    Parameter, name="QuestionParameter", description="Arguments of `ask`; MINUTES before and after AT."
)


@strawberry.type(description="One question that can be asked by name.")
class SavedQuestion:
    saved: strawberry.Private[questions.SavedQuestion]

    name: Question = strawberry.field(description="Ask it by this.")
    needs: list[Parameter] = strawberry.field(description="What has to be said with it.")
    takes: list[Parameter] = strawberry.field(description="What may be said, to ask for less.")

    @strawberry.field(description="What it asks.")
    async def words(self, language: Language = vocabulary.Language.JA) -> str:
        return self.saved.words[language]

    @classmethod
    def of(cls, saved: questions.SavedQuestion) -> Self:
        return cls(saved=saved, name=saved.name, needs=list(saved.needs), takes=list(saved.takes))


@strawberry.type(description="One thing that was found.")
class Finding:
    found: strawberry.Private[answers.Finding]

    since: datetime = strawberry.field(description="When, UTC; the first, of several.")
    until: datetime = strawberry.field(description="The last.")
    person: str | None = strawberry.field(description="Who, as the token said.")
    role: Role | None = strawberry.field(description="What the reader is.")
    patients: list[strawberry.ID] = strawberry.field(description="Whose records.")
    accesses: list[strawberry.ID] = strawberry.field(
        description="The accesses it rests on: ask for each with `access`."
    )
    bases: list[AccessBasis] = strawberry.field(description="On which basis.")
    classes: list[RecordClass] = strawberry.field(description="Of what.")
    document: strawberry.ID | None = strawberry.field(description="The document it is about.")
    number: int = strawberry.field(description="Of how many accesses, or Bundles, it tells.")

    @strawberry.field(description="医療機関.")
    async def facility(self, info: Info[Context, None]) -> Facility | None:
        number = self.found.facility
        return None if number is None else await info.context.facilities.load(number)

    @strawberry.field(description="What was found, as a sentence.")
    async def words(self, language: Language = vocabulary.Language.JA) -> str:
        return self.found.says[language]

    @classmethod
    def of(cls, found: answers.Finding) -> Self:
        return cls(
            found=found,
            since=found.since,
            until=found.until,
            person=found.person,
            role=found.role,
            patients=[strawberry.ID(str(one)) for one in found.patients],
            accesses=[strawberry.ID(str(one)) for one in found.accesses],
            bases=list(found.bases),
            classes=list(found.classes),
            document=None if found.document is None else strawberry.ID(str(found.document)),
            number=found.number,
        )


@strawberry.type(description="Whom to tell of a correction: a facility's people, or somebody by herself.")
class ToTell:
    number: strawberry.Private[str | None]

    persons: list[str] = strawberry.field(description="Who saw it, as their tokens said.")
    accesses: list[strawberry.ID] = strawberry.field(description="When they looked.")
    first: datetime = strawberry.field(description="The first time, UTC.")
    last: datetime = strawberry.field(description="The last.")

    @strawberry.field(description="医療機関; null: the patient herself, or who stands for her.")
    async def facility(self, info: Info[Context, None]) -> Facility | None:
        return None if self.number is None else await info.context.facilities.load(self.number)

    @classmethod
    def of(cls, told: answers.ToTell) -> Self:
        return cls(
            number=told.facility,
            persons=list(told.persons),
            accesses=[strawberry.ID(str(one)) for one in told.accesses],
            first=told.first,
            last=told.last,
        )


@strawberry.type(description="What was found. Asking is in the trail too.")
class Answer:
    access_id: strawberry.ID = strawberry.field(
        description="This look at the trail, which is in the trail too."
    )
    findings: list[Finding] = strawberry.field(description="The oldest first.")
    more: bool = strawberry.field(
        description=f"There are more than {answers.FINDINGS_MAX}, and these are the first: ask for a shorter period."
    )
    to_tell: list[ToTell] = strawberry.field(description="Of a correction: whom to tell.")
    undecided: int = strawberry.field(
        description="Of how many nobody can say any more, since what they rested on was erased."
    )
    complete_until: datetime = strawberry.field(description="Nothing recorded before this moment is missing.")


@strawberry.type
class QuestionQuery:
    @strawberry.field(
        description="監査の定型質問: what can be asked by name.",
        permission_classes=allowed(vocabulary.Role.AUDITOR),
    )
    async def saved_questions(self, info: Info[Context, None]) -> list[SavedQuestion]:
        return [SavedQuestion.of(saved) for saved in CATALOGUE.values()]

    @strawberry.field(
        description="Ask one of the saved questions. Asking is in the trail too.",
        permission_classes=allowed(vocabulary.Role.AUDITOR),
    )
    async def ask(
        self,
        info: Info[Context, None],
        question: Question,
        patient: Annotated[strawberry.ID | None, strawberry.argument(description="Our id.")] = None,
        person: str | None = None,
        facility: Annotated[str | None, strawberry.argument(description="医療機関番号.")] = None,
        document: Annotated[strawberry.ID | None, strawberry.argument(description="Our id.")] = None,
        since: Annotated[
            datetime | None, strawberry.argument(name="from", description="From this moment on.")
        ] = None,
        until: Annotated[
            datetime | None, strawberry.argument(name="to", description="Before this moment.")
        ] = None,
        at: datetime | None = None,
        minutes: Annotated[
            int | None, strawberry.argument(description="So long before and after `at`; 5.")
        ] = None,
    ) -> Answer:
        context = info.context
        asked = Asked(
            question=question,
            patient=uuid_of(patient, "a patient") if patient is not None else None,
            person=person,
            facility=facility,
            document=uuid_of(document, "a document") if document is not None else None,
            since=None if since is None else aware(since),
            until=None if until is None else aware(until),
            at=None if at is None else aware(at),
            minutes=minutes,
        )
        look = TrailReading(access_id=context.application.new_id(), patient=asked.patient)
        answer = await context.application.ask_question(asked)
        context.charge(len(answer.findings))
        look.show(answer.findings)
        context.readings.trail.append(look)
        return Answer(
            access_id=strawberry.ID(str(look.access_id)),
            findings=[Finding.of(one) for one in answer.findings],
            more=answer.more,
            to_tell=[ToTell.of(one) for one in answer.to_tell],
            undecided=answer.undecided,
            complete_until=answer.complete_until,
        )
