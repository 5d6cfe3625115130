"""Why a record could be seen, or not: for auditors each rule that was asked, for the patient what let somebody look."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain import explanations, vocabulary
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.explanation_sentences import opened_in, sentence
from tsuzuri.domain.explanation_steps import Rule, Step
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import AccessBasis, Language, PurposeOfUse, RecordClass, RefusalReason, Role
from tsuzuri.graphql.inputs import uuid_of
from tsuzuri.graphql.patient_record import Ground
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import TrailReading
from tsuzuri.graphql.statements import aware

strawberry.enum(Rule, name="ExplanationRule", description="What was asked; `words` says it.")


@strawberry.type(description="One thing that the decision looked at.")
class ExplanationStep:
    step: strawberry.Private[Step]
    explained: strawberry.Private[explanations.Explanation]

    rule: Rule = strawberry.field(description="What was asked of it.")
    matched: bool = strawberry.field(description="Whether that was met.")
    because: strawberry.ID | None = strawberry.field(description="The event it is about.")
    ended_by: strawberry.ID | None = strawberry.field(
        description="The event by which that was over before its time."
    )
    classes: list[RecordClass] = strawberry.field(description="What it covers.")
    since: datetime | None = strawberry.field(description="From when on.")
    until: datetime | None = strawberry.field(description="Until when; that moment is outside.")
    grounds: list[Ground] = strawberry.field(description="What of the answer came of it.")

    @strawberry.field(description="The step as a sentence.")
    async def words(self, language: Language = vocabulary.Language.JA) -> str:
        return sentence(self.step, self.explained, language)

    @classmethod
    def of(cls, step: Step, explained: explanations.Explanation) -> Self:
        return cls(
            step=step,
            explained=explained,
            rule=step.rule,
            matched=step.matched,
            because=_id(step.because),
            ended_by=_id(step.ended_by),
            classes=list(step.classes),
            since=step.since,
            until=step.until,
            grounds=[Ground.of(ground) for ground in step.grounds],
        )


@strawberry.type(
    description="A decision, made again on what it cites, and each thing it looked at, in its order."
)
class Explanation:
    decision: str = strawberry.field(description="PERMITTED or REFUSED.")
    reason: RefusalReason | None = strawberry.field(description="Why it was refused.")
    agrees: bool | None = strawberry.field(
        description="Whether this is what was recorded; null: nothing was, or what it rested on was erased."
    )
    steps: list[ExplanationStep] = strawberry.field(description="What was looked at.")
    grounds: list[Ground] = strawberry.field(description="On what the answer rests.")
    classes: list[RecordClass] = strawberry.field(description="Of what something could be seen.")
    consent_version: int = strawberry.field(description="Where the consent stream stood.")
    decided_at: datetime = strawberry.field(description="The moment it was decided for.")

    @classmethod
    def of(cls, explained: explanations.Explanation) -> Self:
        decision = explained.decision
        permitted = decision if isinstance(decision, Permitted) else None
        return cls(
            decision="PERMITTED" if permitted else "REFUSED",
            reason=decision.reason if isinstance(decision, Refused) else None,
            agrees=explained.agrees,
            steps=[ExplanationStep.of(step, explained) for step in explained.steps],
            grounds=[Ground.of(ground) for ground in permitted.grounds] if permitted else [],
            classes=list(permitted.classes) if permitted else [],
            consent_version=decision.consent_version,
            decided_at=explained.request.at,
        )


@strawberry.type(description="One thing that let somebody look at your record.")
class OwnReason:
    sentences: strawberry.Private[dict[Language, str]]

    basis: AccessBasis = strawberry.field(description="On which basis.")

    @strawberry.field(description="The same in plain words.")
    async def words(self, language: Language = vocabulary.Language.JA) -> str:
        return self.sentences[language]

    @classmethod
    def all_of(
        cls, bases: Sequence[vocabulary.AccessBasis], classes: Sequence[vocabulary.RecordClass]
    ) -> list[Self]:
        """Of an access's bases, and the classes she is told of.

        Not of its grounds, nor of the events they cite: those may be of a number that was linked with hers by mistake.
        """
        return [
            cls(sentences={one: opened_in(basis, classes, one) for one in Language}, basis=basis)
            for basis in bases
        ]


@strawberry.type
class ExplanationQuery:
    @strawberry.field(
        description="What could this facility see of this patient at that moment? Decided on what was recorded by "
        "then, under scopes that leave nothing out. Asking is in the trail too.",
        permission_classes=allowed(vocabulary.Role.AUDITOR),
    )
    async def access_at(
        self,
        info: Info[Context, None],
        patient: Annotated[strawberry.ID, strawberry.argument(description="Our id.")],
        facility: Annotated[str, strawberry.argument(description="医療機関番号.")],
        at: datetime,
        role: Role = vocabulary.Role.CLINICIAN,
        purpose: PurposeOfUse = vocabulary.PurposeOfUse.TREAT,
        person: Annotated[
            str, strawberry.argument(description="Who asks: emergencies and proxies are one person's.")
        ] = "",
    ) -> Explanation:
        asked = uuid_of(patient, "a patient")
        explained = await info.context.application.explain_moment(
            asked, facility, aware(at), role=role, purpose=purpose, person=person
        )
        look(info.context, asked)
        return Explanation.of(explained)


async def explained_access(context: Context, access: UUID, patient: UUID | None) -> Explanation | None:
    """One after the other, for each reads streams of the log."""
    async with context.turn:
        explained = await context.application.explain_access(access)
    look(context, patient)
    return None if explained is None else Explanation.of(explained)


def look(context: Context, patient: UUID | None) -> None:
    """Say that the trail of this patient was looked at, once for each operation."""
    if all(one.patient != patient for one in context.readings.trail):
        context.readings.trail.append(
            TrailReading(access_id=context.application.new_id(), patient=patient, shown=1)
        )


def _id(event: UUID | None) -> strawberry.ID | None:
    return None if event is None else strawberry.ID(str(event))
