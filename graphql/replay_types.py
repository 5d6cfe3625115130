"""An access run again as it was: for auditors, by digests and ids; what it showed, with a second person's leave."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain import replays, vocabulary
from tsuzuri.domain.replays import Hindrance, Verdict
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import RecordClass
from tsuzuri.graphql.explanation_types import look
from tsuzuri.graphql.inputs import uuid_of
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import TrailReading

strawberry.enum(
    Verdict,
    name="ReplayVerdict",
    description="SAME_ANSWER: the digest is the recorded one. SAME_ENTRIES: the same is shown, written otherwise; see "
    "changes. SAME_REFUSAL: refused again. VERSION_CHANGED: other entries, under another schema or projection. ERASED: "
    "see erasures. NOT_COMPARABLE: there was no whole answer then. NOT_REPLAYABLE: see hindrance. DIFFERENT: nothing "
    "explains it.",
)
strawberry.enum(Hindrance, name="ReplayHindrance", description="Why an access cannot be run again.")


@strawberry.type(description="What was shown, by digests.")
class ReplayShown:
    answer_sha256: str = strawberry.field(description="Of the answer without its volatile fields.")
    entries_sha256: str = strawberry.field(description="Of the sorted ids of what was shown.")
    entries: int = strawberry.field(description="How many entries and documents were shown.")

    @classmethod
    def of(cls, shown: replays.Shown | None) -> Self | None:
        if shown is None:
            return None
        return cls(
            answer_sha256=shown.answer_sha256, entries_sha256=shown.entries_sha256, entries=shown.entries
        )


@strawberry.type(description="What is otherwise than it was then.")
class ReplayChange:
    what: str = strawberry.field(
        description='"schema", "program", "seals" (the key of cursors and ids), the name of a projection; "beside the '
        'record": names, consents or other looks may have lagged.'
    )
    then: str = strawberry.field(description="Its version or digest then; empty: it was not recorded.")
    now: str = strawberry.field(description="Its version or digest now.")


@strawberry.type(description="Something of the record that was erased since.")
class ReplayErasure:
    event: strawberry.ID = strawberry.field(description="The event that erased it.")
    document: strawberry.ID | None = strawberry.field(description="What was erased; null: the whole record.")
    at: datetime = strawberry.field(description="When, UTC.")
    classes: list[RecordClass] = strawberry.field(description="Of what it may have held something.")


@strawberry.type(description="An access, run again as of its position and under its decision.")
class Replay:
    verdict: Verdict = strawberry.field(description="Whether it agrees with what was recorded.")
    hindrance: Hindrance | None = strawberry.field(description="Why it was not run again.")
    then: ReplayShown | None = strawberry.field(description="As it was recorded.")
    now: ReplayShown | None = strawberry.field(description="As it was replayed.")
    changes: list[ReplayChange] = strawberry.field(description="What is otherwise, whatever the verdict is.")
    erasures: list[ReplayErasure] = strawberry.field(description="What was erased since.")
    entry_ids: list[strawberry.ID] = strawberry.field(
        description="Ids of the entries and documents that the replay shows."
    )
    content: str | None = strawberry.field(
        description="What was answered, as JSON; null without an allowance of a second person."
    )

    @classmethod
    def of(cls, replay: replays.Replay) -> Self:
        return cls(
            verdict=replay.verdict,
            hindrance=replay.hindrance,
            then=ReplayShown.of(replay.then),
            now=ReplayShown.of(replay.now),
            changes=[ReplayChange(what=one.what, then=one.then, now=one.now) for one in replay.changes],
            erasures=[
                ReplayErasure(
                    event=strawberry.ID(str(one.event)),
                    document=None if one.document is None else strawberry.ID(str(one.document)),
                    at=one.at,
                    classes=list(vocabulary.in_order(one.classes)),
                )
                for one in replay.erasures
            ],
            entry_ids=[strawberry.ID(str(one)) for one in replay.entries],
            content=replay.content,
        )


@strawberry.type(description="A second person's leave to see what an access showed.")
class ReplayAllowance:
    id: strawberry.ID = strawberry.field(description="For `Access.replay`.")
    until: datetime = strawberry.field(description="From then on it lets nobody see anything, UTC.")


@strawberry.type
class ReplayMutation:
    @strawberry.mutation(
        description="Let another auditor or operator see, for an hour, what this access showed when she replays it. "
        "Nobody lets herself. It is in the trail, as each replay is.",
        permission_classes=allowed(vocabulary.Role.AUDITOR, vocabulary.Role.OPERATOR),
    )
    async def allow_replay_content(
        self,
        info: Info[Context, None],
        access: strawberry.ID,
        person: Annotated[str, strawberry.argument(description="Whom, as her token names her.")],
    ) -> ReplayAllowance:
        context = info.context
        given = await context.application.allow_replay_content(
            context.caller, uuid_of(access, "an access"), person
        )
        context.readings.trail.append(TrailReading(access_id=context.application.new_id(), patient=None))
        return ReplayAllowance(id=strawberry.ID(str(given.event_id)), until=given.until)


async def replayed_access(
    info: Info[Context, None], access: UUID, patient: UUID | None, allowance: strawberry.ID | None
) -> Replay | None:
    """One after the other, for each folds a record."""
    context = info.context
    given = None if allowance is None else uuid_of(allowance, "an allowance")
    look(context, patient)
    async with context.turn:
        replay = await context.application.replay_access(info.schema, context.caller, access, given)
    if replay is None:
        return None
    if replay.content is not None:
        seen = next(one for one in context.readings.trail if one.patient == patient)
        seen.shown += len(replay.entries)
    return Replay.of(replay)
