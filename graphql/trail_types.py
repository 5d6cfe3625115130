"""監査証跡: who saw what, when, on which basis, as auditors read it, and as the patient does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
import strawberry
from strawberry.types import Info

from tsuzuri.domain import accesses as told_accesses
from tsuzuri.domain import vocabulary
from tsuzuri.domain.access_words import AccessFacts, words
from tsuzuri.graphql import facility_types
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import (
    AccessBasis,
    ConsentState,
    IdentifiedBy,
    Language,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
)
from tsuzuri.graphql.explanation_types import Explanation, OwnReason, explained_access
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.listing import Listed, ListedConnection
from tsuzuri.graphql.paging import Stretch
from tsuzuri.graphql.patient_record import Ground
from tsuzuri.graphql.proof_types import Proof, proven_access
from tsuzuri.graphql.readings import Shown
from tsuzuri.graphql.replay_types import Replay, replayed_access
from tsuzuri.graphql.statements import Source, one_of
from tsuzuri.graphql.trail_filter import about
from tsuzuri.projections import audit_trail, facilities
from tsuzuri.projections.sql import SQL, Composed


@strawberry.type(description="What every reader of an access is told.")
class _Access:
    facility_number: strawberry.Private[str | None]
    of_trail: strawberry.Private[bool]

    id: strawberry.ID = strawberry.field(description="Quote this when you ask about it.")
    at: datetime = strawberry.field(description="When, UTC.")
    role: Role = strawberry.field(description="What the reader is.")
    purpose: PurposeOfUse = strawberry.field(description="For what.")
    bases: list[AccessBasis] = strawberry.field(description="On which basis.")
    classes_asked: list[RecordClass] = strawberry.field(description="What was looked for.")
    classes_permitted: list[RecordClass] = strawberry.field(description="What could be seen.")

    @strawberry.field(description="医療機関; none for yourself and for auditors.")
    async def facility(self, info: Info[Context, None]) -> Facility | None:
        if self.facility_number is None:
            return None
        return await info.context.facilities.load(self.facility_number)

    @strawberry.field(description="Was it an emergency, without your consent?")
    async def emergency(self) -> bool:
        return vocabulary.AccessBasis.EMERGENCY in self.bases

    @strawberry.field(description="Was it a disaster, without your consent?")
    async def disaster(self) -> bool:
        return vocabulary.AccessBasis.DISASTER in self.bases

    @strawberry.field(description="All of this as one plain sentence, with the time in Japan.")
    async def words(self, info: Info[Context, None], language: Language = vocabulary.Language.JA) -> str:
        facility = await self.facility(info)
        facts = AccessFacts(
            at=self.at,
            role=self.role,
            facility_number=self.facility_number,
            facility_name=facility.name if facility else None,
            bases=self.bases,
            classes_asked=self.classes_asked,
            classes_permitted=self.classes_permitted,
            of_trail=self.of_trail,
        )
        return words(facts, language)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "facility_number": row["facility"],
        "of_trail": row["outcome"] == "TRAIL_READ",
        "id": strawberry.ID(str(row["id"])),
        "at": row["at"],
        "role": Role(row["role"]),
        "purpose": PurposeOfUse(row["purpose"]),
        "bases": [AccessBasis(basis) for basis in row["bases"]],
        "classes_asked": [RecordClass(c) for c in row["classesAsked"]],
        "classes_permitted": [RecordClass(c) for c in row["classesPermitted"]],
    }


@strawberry.type(description="One access, as the patient reads it.")
class OwnAccess(_Access):
    @strawberry.field(description="What let them look, in plain words.")
    async def explanation(self) -> list[OwnReason]:
        return OwnReason.all_of(self.bases, self.classes_permitted)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(**_told(row))


@strawberry.type(description="Who looked, newest first.")
class OwnAccessConnection(ListedConnection[OwnAccess]):
    pass


@strawberry.type(description="How many entries and documents of one class were in an answer.")
class ClassCount:
    record_class: RecordClass = strawberry.field(description="情報の種類.")
    entries: int = strawberry.field(description="How many.")


@strawberry.type(description="One access, as the auditor reads it.")
class Access(_Access):
    grounds_text: strawberry.Private[str]  # JSON
    shown_text: strawberry.Private[str]  # JSON
    place: strawberry.Private[tuple[int, int]]  # part and position

    outcome: str = strawberry.field(description="PERMITTED, WATCHER_TOLD, REFUSED or TRAIL_READ.")
    patient: strawberry.ID | None = strawberry.field(description="Whose record.")
    person: str = strawberry.field(description="Who, as the token said.")
    reason: RefusalReason | None = strawberry.field(description="Why it was refused.")
    because: list[strawberry.ID] = strawberry.field(description="The events the decision cites.")
    consent_version: int | None = strawberry.field(description="Where the consent stream stood.")
    entries_shown: int = strawberry.field(description="How many entries and documents were in the answer.")
    incomplete: bool = strawberry.field(description="Something was left out as not yet indexed.")
    operation_name: str | None = strawberry.field(description="Name of the GraphQL operation.")
    operation_sha256: str = strawberry.field(description="Digest of the GraphQL document.")
    identified_by: IdentifiedBy | None = strawberry.field(
        description="How the patient was named; null: of an old access, or of a look at the trail."
    )
    client: str | None = strawberry.field(
        description="The program that asked, as its token says (client_id)."
    )
    session: str | None = strawberry.field(description="The token's id (jti).")
    as_of: str | None = strawberry.field(
        description="The earlier moment that was asked for: a time, or `position`; null: now."
    )

    @strawberry.field(
        description="同意の状態: whether it rested on the patient's consent; `because` says which."
    )
    async def consent_state(self) -> ConsentState:
        return ConsentState(told_accesses.consent_state(self.bases))

    @strawberry.field(description="On what it rests, whole: bases, classes, marks, and the events it cites.")
    async def grounds(self) -> list[Ground]:
        grounds = msgspec.json.decode(self.grounds_text, type=list[told_accesses.Ground])
        return [Ground.of(ground) for ground in grounds]

    @strawberry.field(
        description="表示した項目: how many entries and documents of each class were in the answer."
    )
    async def shown_by_class(self) -> list[ClassCount]:
        shown = msgspec.json.decode(self.shown_text, type=dict[vocabulary.RecordClass, int])
        return [ClassCount(record_class=one, entries=count) for one, count in shown.items()]

    @strawberry.field(description="Sealed: where in the log the access stands.")
    async def position(self, info: Info[Context, None]) -> str:
        return info.context.application.seals.seal("log", self.place)

    @strawberry.field(
        description="Why it was permitted or refused: decided again on what it cites. Null of a look at the trail. "
        "Asking is in the trail too."
    )
    async def explanation(self, info: Info[Context, None]) -> Explanation | None:
        return await explained_access(
            info.context, UUID(self.id), UUID(self.patient) if self.patient else None
        )

    @strawberry.field(
        description="That this stands in the log as it was recorded, with the keys of what it says. Null while the "
        "trail has not come to it. Asking is in the trail too."
    )
    async def proof(self, info: Info[Context, None]) -> Proof | None:
        return await proven_access(info.context, UUID(self.id), UUID(self.patient) if self.patient else None)

    @strawberry.field(
        description="Run again as of its position and under its decision: does it agree with what was recorded? By "
        "digests and ids. Asking is in the trail too."
    )
    async def replay(
        self,
        info: Info[Context, None],
        allowance: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="`allowReplayContent` of a second person: the content comes too."
            ),
        ] = None,
    ) -> Replay | None:
        return await replayed_access(
            info, UUID(self.id), UUID(self.patient) if self.patient else None, allowance
        )

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            **_told(row),
            outcome=row["outcome"],
            patient=None if row["patient"] is None else strawberry.ID(str(row["patient"])),
            person=row["person"],
            reason=None if row["reason"] is None else RefusalReason(row["reason"]),
            because=[strawberry.ID(str(event)) for event in row["because"]],
            consent_version=row["consentVersion"],
            entries_shown=row["entriesShown"],
            incomplete=row["incomplete"],
            operation_name=row["operationName"],
            operation_sha256=row["operationSha256"],
            identified_by=None if row["identifiedBy"] is None else IdentifiedBy(row["identifiedBy"]),
            client=row["client"],
            session=row["session"],
            as_of=row["asOf"],
            grounds_text=row["grounds"],
            shown_text=row["shownByClass"],
            place=(row["part"], row["pos"]),
        )


@strawberry.type(description="The audit trail, newest first.")
class AccessTrail(ListedConnection[Access]):
    whole: strawberry.Private[datetime | None]  # known before the page was read; None: nobody asks for it
    access_id: strawberry.ID = strawberry.field(
        description="This look at the trail, which is in the trail too."
    )

    @strawberry.field(description="No access recorded before this moment is missing from the trail.")
    async def complete_until(self) -> datetime:
        assert self.whole is not None
        return self.whole


async def accesses(
    context: Context,
    use: str,
    where: list[Composed],
    wanted: Stretch,
    node: Callable[[Mapping[str, Any]], Any],
    noted: Callable[[Sequence[Shown]], None] | None = None,
    schema: str | None = None,
) -> Listed[Any]:
    """A page of the trail. *noted*: gets what stands on it. *schema*: where the trail lies, when that is known."""
    application = context.application
    live, listed = await application.live_schemas(audit_trail.NAME, facilities.NAME)

    async def linking(_: str) -> Source:
        return facility_types.source_in(listed)

    return Listed(
        fetch=application.fetch,
        source=Source(audit_trail.VIEW, schema or live, SQL("true")),
        where=where,
        seals=application.seals,
        use=use,
        wanted=wanted,
        node=node,
        noted=noted,
        linking=linking,
    )


async def own_accesses(
    context: Context, patients: Sequence[UUID], wanted: Stretch, schema: str
) -> OwnAccessConnection:
    """What a patient may know: every answered read of her record, and looks at its trail. *schema*: of the trail.

    Not the refusals; and not what those are told who watch, which may be of what is kept from her.
    """
    where = [
        about(patients),
        one_of("outcome", audit_trail.OWN_OUTCOMES),
    ]
    use = f"accesses/{patients[0]}"
    return OwnAccessConnection(
        listed=await accesses(context, use, where, wanted, OwnAccess.of, schema=schema)
    )
