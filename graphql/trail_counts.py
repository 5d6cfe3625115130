"""Counts over the trail: how many accesses of each facility, person, class, basis, day. Counting is in it too."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.enums import AccessBasis, PurposeOfUse, RecordClass, Role
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import TrailReading
from tsuzuri.graphql.statements import Source
from tsuzuri.graphql.trail_filter import TrailFilter
from tsuzuri.projections import audit_trail
from tsuzuri.projections.sql import SQL, Composed, Identifier, Number

GROUPS_MAX = 1_000
"""Of more groups, those with the most accesses are told."""


@strawberry.enum(description="By what accesses are counted. DAY is a day in Japan.")
class TrailGrouping(StrEnum):
    FACILITY = "FACILITY"
    PERSON = "PERSON"
    ROLE = "ROLE"
    PURPOSE = "PURPOSE"
    BASIS = "BASIS"
    CLASS = "CLASS"
    OUTCOME = "OUTCOME"
    OPERATION = "OPERATION"
    DAY = "DAY"


_VALUES: Mapping[TrailGrouping, Composed] = {
    TrailGrouping.FACILITY: SQL("facility"),
    TrailGrouping.PERSON: SQL("person"),
    TrailGrouping.ROLE: SQL("role"),
    TrailGrouping.PURPOSE: SQL("purpose"),
    TrailGrouping.BASIS: SQL("basis"),
    TrailGrouping.CLASS: SQL("class"),
    TrailGrouping.OUTCOME: SQL("outcome"),
    TrailGrouping.OPERATION: SQL("operation_name"),
    TrailGrouping.DAY: SQL("(at AT TIME ZONE 'Asia/Tokyo')::date"),
}
_OF_SEVERAL: Mapping[TrailGrouping, Composed] = {
    TrailGrouping.BASIS: SQL("LEFT JOIN LATERAL unnest(bases) AS basis ON true"),
    TrailGrouping.CLASS: SQL("LEFT JOIN LATERAL unnest(classes_permitted) AS class ON true"),
}
"""What an access has several of: it counts under each, and once under none where it has none."""


@strawberry.type(
    description="Accesses that have something in common. What was not counted by, or what they lack, is null."
)
class AccessGroup:
    facility_number: strawberry.Private[str | None]

    accesses: int = strawberry.field(description="How many.")
    patients: int = strawberry.field(description="Of how many patients.")
    entries_shown: int = strawberry.field(description="How many entries and documents their answers held.")
    person: str | None = strawberry.field(description="Who.")
    role: Role | None = strawberry.field(description="What the reader is.")
    purpose: PurposeOfUse | None = strawberry.field(description="For what.")
    basis: AccessBasis | None = strawberry.field(description="On which basis: an access may have several.")
    record_class: RecordClass | None = strawberry.field(
        description="What could be seen: an access counts under each class."
    )
    outcome: str | None = strawberry.field(description="PERMITTED, WATCHER_TOLD, REFUSED or TRAIL_READ.")
    operation_name: str | None = strawberry.field(description="Name of the GraphQL operation.")
    day: date | None = strawberry.field(description="The day in Japan.")

    @strawberry.field(description="医療機関.")
    async def facility(self, info: Info[Context, None]) -> Facility | None:
        if self.facility_number is None:
            return None
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        role, purpose, basis, record_class = (row.get(name) for name in ("ROLE", "PURPOSE", "BASIS", "CLASS"))
        return cls(
            facility_number=row.get("FACILITY"),
            accesses=row["accesses"],
            patients=row["patients"],
            entries_shown=row["entries_shown"],
            person=row.get("PERSON"),
            role=None if role is None else Role(role),
            purpose=None if purpose is None else PurposeOfUse(purpose),
            basis=None if basis is None else AccessBasis(basis),
            record_class=None if record_class is None else RecordClass(record_class),
            outcome=row.get("OUTCOME"),
            operation_name=row.get("OPERATION"),
            day=row.get("DAY"),
        )


@strawberry.type(description="How many accesses there are of each kind, the most first.")
class AccessCounts:
    access_id: strawberry.ID = strawberry.field(
        description="This look at the trail, which is in the trail too."
    )
    groups: list[AccessGroup] = strawberry.field(description="One for each kind that there is.")
    more: bool = strawberry.field(
        description=f"There are more than {GROUPS_MAX} kinds, and only these are told: ask for fewer."
    )


@strawberry.type
class TrailCountsQuery:
    @strawberry.field(
        description="監査証跡: how many accesses, by facility, person, class, basis and so on. "
        "Counting is in the trail too.",
        permission_classes=allowed(vocabulary.Role.AUDITOR),
    )
    async def access_counts(
        self,
        info: Info[Context, None],
        by: Annotated[
            list[TrailGrouping], strawberry.argument(description="None: all of them are one group.")
        ],
        filter: TrailFilter | None = None,
    ) -> AccessCounts:
        context, wanted = info.context, filter or TrailFilter()
        application = context.application
        if len(set(by)) < len(by):
            raise RequestRefused("BAD_INPUT", "name each thing to count by once")
        look = TrailReading(access_id=application.new_id(), patient=wanted.patient_id())
        (schema,) = await application.live_schemas(audit_trail.NAME)
        source = Source(audit_trail.VIEW, schema, SQL("true"))
        rows = await application.fetch(_counting(source, wanted.where(), by))
        groups = [AccessGroup.of(row) for row in rows[:GROUPS_MAX]]
        look.show(groups)
        context.readings.trail.append(look)
        return AccessCounts(
            access_id=strawberry.ID(str(look.access_id)), groups=groups, more=len(rows) > GROUPS_MAX
        )


def _counting(source: Source, where: list[Composed], by: list[TrailGrouping]) -> Composed:
    """Of no accesses at all there is no group."""
    named = [SQL("{} AS {}").format(_VALUES[one], Identifier(one.value)) for one in by]
    counts = SQL(
        "count(*) AS accesses, count(DISTINCT patient_id) AS patients, sum(entries_shown)::bigint AS entries_shown"
    )
    joined = [_OF_SEVERAL[one] for one in by if one in _OF_SEVERAL]
    keys = SQL(", ").join(_VALUES[one] for one in by) if by else SQL("()")
    order = [SQL("count(*) DESC"), *(_VALUES[one] for one in by)]
    return SQL("SELECT {} FROM {} WHERE {} GROUP BY {} HAVING count(*) > 0 ORDER BY {} LIMIT {}").format(
        SQL(", ").join([*named, counts]),
        SQL(" ").join([source.table(), *joined]),
        SQL(" AND ").join([source.seen, *where]),
        keys,
        SQL(", ").join(order),
        Number(GROUPS_MAX + 1),
    )
