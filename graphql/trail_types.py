"""監査証跡: who saw what, when, on which basis, as auditors read it, and as the patient does."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry
from psycopg.sql import SQL, Composable, Literal
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.domain.access_words import AccessFacts, words
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import AccessBasis, Language, PurposeOfUse, RecordClass, RefusalReason, Role
from tsuzuri.graphql.explanation_types import Explanation, OwnReason, explained_access
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.inputs import Period, uuid_of
from tsuzuri.graphql.paging import Connection, opened, page, page_size
from tsuzuri.graphql.statements import Source, between, equal, overlaps
from tsuzuri.projections import audit_trail


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
class OwnAccessConnection(Connection[OwnAccess]):
    total_count: int = strawberry.field(description="How many accesses there were.")


@strawberry.type(description="One access, as the auditor reads it.")
class Access(_Access):
    outcome: str = strawberry.field(description="PERMITTED, REFUSED or TRAIL_READ.")
    patient: strawberry.ID | None = strawberry.field(description="Whose record.")
    person: str = strawberry.field(description="Who, as the token said.")
    reason: RefusalReason | None = strawberry.field(description="Why it was refused.")
    because: list[strawberry.ID] = strawberry.field(description="The events the decision cites.")
    consent_version: int | None = strawberry.field(description="Where the consent stream stood.")
    entries_shown: int = strawberry.field(description="How many entries and documents were in the answer.")
    incomplete: bool = strawberry.field(description="Something was left out as not yet indexed.")
    operation_name: str | None = strawberry.field(description="Name of the GraphQL operation.")
    operation_sha256: str = strawberry.field(description="Digest of the GraphQL document.")

    @strawberry.field(
        description="Why it was permitted or refused: decided again on what it cites. Null of a look at the trail. "
        "Asking is in the trail too."
    )
    async def explanation(self, info: Info[Context, None]) -> Explanation | None:
        return await explained_access(
            info.context, UUID(self.id), UUID(self.patient) if self.patient else None
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
        )


@strawberry.type(description="The audit trail, newest first.")
class AccessTrail(Connection[Access]):
    access_id: strawberry.ID = strawberry.field(
        description="This look at the trail, which is in the trail too."
    )
    total_count: int = strawberry.field(description="How many accesses match.")
    complete_until: datetime = strawberry.field(
        description="No access recorded before this moment is missing from the trail."
    )


async def accesses(
    context: Context, use: str, where: list[Composable], first: int, after: str | None
) -> tuple[list[tuple[Mapping[str, Any], list[Any]]], int]:
    """A page of the trail and the number of all that match."""
    schema = await context.application.live_schema(audit_trail.NAME)
    source = Source(audit_trail.VIEW, schema, SQL("true"))
    cursor = opened(context.application.seals, use, after)
    found = await context.application.fetch(source.page(where, page_size(first), cursor))
    count = await context.application.fetch(source.count(where))
    return [(row, row["_cursor"]) for row in found], count[0]["n"]


async def own_accesses(
    context: Context, patients: Sequence[UUID], first: int, after: str | None
) -> OwnAccessConnection:
    """What a patient may know: every answered read of her record, and looks at its trail. Not the refusals."""
    where = [
        _about(patients),
        SQL("outcome IN ('PERMITTED', 'TRAIL_READ')"),
    ]
    use = f"accesses/{patients[0]}"
    rows, total = await accesses(context, use, where, first, after)
    nodes = [(OwnAccess.of(row), cursor) for row, cursor in rows]
    edges, info = page(context.application.seals, use, nodes, first, began=after is not None)
    return OwnAccessConnection(edges=edges, page_info=info, total_count=total)


@strawberry.input(description="Which accesses. What is left out does not restrict.")
class TrailFilter(Period):
    patient: strawberry.ID | None = strawberry.field(default=None, description="Of this patient.")
    person: str | None = strawberry.field(default=None, description="By this person.")
    facility: str | None = strawberry.field(default=None, description="By this facility.")
    outcome: str | None = strawberry.field(default=None, description="PERMITTED, REFUSED or TRAIL_READ.")
    bases: list[AccessBasis] | None = strawberry.field(default=None, description="On any of these bases.")
    classes: list[RecordClass] | None = strawberry.field(
        default=None, description="That could see any of these."
    )

    def patient_id(self) -> UUID | None:
        """Raises RequestRefused."""
        return uuid_of(self.patient, "a patient") if self.patient else None

    def where(self) -> list[Composable]:
        """Raises RequestRefused."""
        conditions = between("at", self.start, self.end)
        patient = self.patient_id()
        conditions += [] if patient is None else [_about([patient])]
        for column, value in (
            ("person", self.person),
            ("facility", self.facility),
            ("outcome", self.outcome),
        ):
            if value is not None:
                conditions.append(equal(column, value))
        if self.bases is not None:
            conditions.append(overlaps("bases", self.bases))
        if self.classes is not None:
            conditions.append(overlaps("classes_permitted", self.classes))
        return conditions


def _about(patients: Sequence[UUID]) -> Composable:
    """Accesses to any of them, also as somebody who was the same person then."""
    several = Literal(list(patients))
    one = (
        SQL("= {}").format(Literal(patients[0])) if len(patients) == 1 else SQL("= ANY ({})").format(several)
    )
    return SQL("(patient_id {} OR linked <> '{{}}' AND linked && {}::uuid[])").format(one, several)
