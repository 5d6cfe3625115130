"""Which accesses of the trail are asked for: the same of a list, of counts and of an export."""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from tsuzuri.graphql.enums import AccessBasis, Flag, RecordClass
from tsuzuri.graphql.inputs import Period, uuid_of
from tsuzuri.graphql.statements import any_of, between, equal, overlaps
from tsuzuri.projections.sql import SQL, Composed, Literal


@strawberry.input(description="Which accesses. What is left out does not restrict.")
class TrailFilter(Period):
    patient: strawberry.ID | None = strawberry.field(default=None, description="Of this patient.")
    person: str | None = strawberry.field(default=None, description="By this person.")
    facility: str | None = strawberry.field(default=None, description="By this facility.")
    outcome: str | None = strawberry.field(
        default=None, description="PERMITTED, WATCHER_TOLD, REFUSED or TRAIL_READ."
    )
    bases: list[AccessBasis] | None = strawberry.field(default=None, description="On any of these bases.")
    classes: list[RecordClass] | None = strawberry.field(
        default=None, description="That could see any of these."
    )
    flags: list[Flag] | None = strawberry.field(
        default=None, description="That could see entries under any of these marks."
    )
    operation: str | None = strawberry.field(
        default=None,
        description="Name of the GraphQL operation or of the command, or the digest of its document.",
    )

    def patient_id(self) -> UUID | None:
        """Raises RequestRefused."""
        return uuid_of(self.patient, "a patient") if self.patient else None

    def where(self) -> list[Composed]:
        """Raises RequestRefused."""
        conditions = between("at", self.start, self.end)
        patient = self.patient_id()
        conditions += [] if patient is None else [about([patient])]
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
        if self.flags is not None:
            conditions.append(overlaps("flags", self.flags))
        if self.operation is not None:
            names = (equal(column, self.operation) for column in ("operation_name", "operation_sha256"))
            conditions.append(any_of(*names))
        return conditions


def about(patients: Sequence[UUID]) -> Composed:
    """Accesses to any of them, also as somebody who was the same person then."""
    several = Literal(list(patients))
    one = (
        SQL("= {}").format(Literal(patients[0])) if len(patients) == 1 else SQL("= ANY ({})").format(several)
    )
    return SQL("(patient_id {} OR linked <> '{{}}' AND linked && {}::uuid[])").format(one, several)
