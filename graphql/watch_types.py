"""What those are told who watch: that something changed, or that somebody looked; nothing of what a record holds."""

from typing import Annotated, Self

import strawberry

from tsuzuri.graphql import context
from tsuzuri.graphql.patient_record import AccessRefused
from tsuzuri.graphql.trail_types import OwnAccess

Since = Annotated[
    str | None,
    strawberry.argument(
        description="The position of the last event you were told: what came since, comes first."
    ),
]


@strawberry.type(description="Something that you may see has changed, or is gone: ask patientRecord what.")
class RecordChanged:
    access_id: strawberry.ID = strawberry.field(description="That you were told, in the audit trail.")
    position: str = strawberry.field(
        description="Sealed: `minPosition` of the read that shows it, `after` of the subscription that goes on here."
    )

    @classmethod
    def of(cls, change: context.RecordChange) -> Self:
        return cls(access_id=strawberry.ID(str(change.access)), position=change.position)


@strawberry.type(description="閲覧履歴: somebody looked.")
class NewAccess:
    access: OwnAccess = strawberry.field(description="Who, when, and for what.")
    position: str = strawberry.field(description="Sealed: `after` of the subscription that goes on here.")

    @classmethod
    def of(cls, new: context.NewAccess) -> Self:
        return cls(access=OwnAccess.of(new.row), position=new.position)


RecordChangedResult = Annotated[RecordChanged | AccessRefused, strawberry.union("RecordChangedResult")]
AccessedResult = Annotated[NewAccess | AccessRefused, strawberry.union("AccessedResult")]
