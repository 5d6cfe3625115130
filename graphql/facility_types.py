"""医療機関: facilities, by name where the operating body has listed them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry

from tsuzuri.domain import facilities as entries
from tsuzuri.domain.facilities import FacilityMalformed, municipality_code, sought
from tsuzuri.graphql.context import Application, RequestRefused
from tsuzuri.graphql.enums import FacilityKind
from tsuzuri.graphql.listing import Listed, ListedConnection
from tsuzuri.graphql.nodes import Node, NodeKind, NodeName
from tsuzuri.graphql.paging import Stretch
from tsuzuri.graphql.statements import Source, equal, holds, one_of
from tsuzuri.projections import facilities
from tsuzuri.projections.sql import SQL, Composed


@strawberry.type(description="医療機関. Only the number is known of one that is not listed.")
class Facility(Node):
    number: str = strawberry.field(description="保険医療機関番号: 10 digits.")
    name: str | None = strawberry.field(description="Its name.")
    kind: FacilityKind | None = strawberry.field(description="医療機関の種別.")
    municipality: str | None = strawberry.field(description="市区町村コード, 5 digits (JIS X 0402).")
    municipality_name: str | None = strawberry.field(description="Where it is.")
    departments: list[str] = strawberry.field(description="診療科.")
    department_codes: list[str] = strawberry.field(
        description="In the order of departments, empty where none is given; or none at all."
    )
    emergency: bool = strawberry.field(description="May use emergency access.")
    closed_at: datetime | None = strawberry.field(description="When it was closed; null when it is open.")

    def node_name(self) -> NodeName:
        return NodeName(NodeKind.FACILITY, self.number, None)

    @classmethod
    def of(cls, number: str, row: Mapping[str, Any] | None) -> Self:
        if row is None:
            return cls(
                number=number,
                name=None,
                kind=None,
                municipality=None,
                municipality_name=None,
                departments=[],
                department_codes=[],
                emergency=False,
                closed_at=None,
            )
        return cls(
            number=number,
            name=row["name"],
            kind=FacilityKind(row["kind"]) if row["kind"] in set(FacilityKind) else None,
            municipality=row["municipality"],
            municipality_name=row["municipalityName"],
            departments=row["departments"],
            department_codes=row["departmentCodes"],
            emergency=row["emergency"],
            closed_at=row["closedAt"],
        )


@strawberry.input(description="An entry of the list of facilities, whole: what is left out is empty.")
class FacilityInput:
    number: str = strawberry.field(description="医療機関番号: 10 digits, the third of which fits the kind.")
    name: str = strawberry.field(description="Its name.")
    kind: FacilityKind = strawberry.field(description="医療機関の種別.")
    municipality: str | None = strawberry.field(
        default=None, description="市区町村コード, 5 digits, or 6 with the check digit."
    )
    municipality_name: str | None = strawberry.field(default=None, description="Where it is.")
    departments: list[str] = strawberry.field(default_factory=list, description="診療科.")
    department_codes: list[str] = strawberry.field(
        default_factory=list, description="In the order of departments, empty where there is none."
    )
    emergency: bool = strawberry.field(
        default=False, description="May use emergency access: a HOSPITAL only."
    )

    def entry(self) -> entries.Facility:
        """As it is to be entered; not checked yet."""
        lists = {
            "departments": tuple(self.departments),
            "department_codes": tuple(self.department_codes),
        }
        return entries.Facility(**vars(self) | lists)


@strawberry.input(description="Which facilities. What is left out does not restrict.")
class FacilityFilter:
    kind: FacilityKind | None = strawberry.field(default=None, description="Of this kind.")
    municipality: str | None = strawberry.field(default=None, description="市区町村コード, 5 or 6 digits.")
    text: str | None = strawberry.field(default=None, description="Part of the name or the number.")
    emergency: bool | None = strawberry.field(default=None, description="That may use emergency access.")

    def where(self) -> list[Composed]:
        """Raises RequestRefused."""
        conditions: list[Composed] = []
        if self.kind is not None:
            conditions.append(equal("kind", self.kind))
        if self.municipality is not None:
            try:
                conditions.append(equal("municipality", municipality_code(self.municipality)))
            except FacilityMalformed as error:
                raise RequestRefused("BAD_INPUT", str(error)) from None
        if self.text is not None:
            conditions.append(holds("sought", sought(self.text)))
        if self.emergency is not None:
            conditions.append(equal("emergency", self.emergency))
        return conditions


@strawberry.type(description="Listed facilities, by number, highest first.")
class FacilityConnection(ListedConnection[Facility]):
    pass


async def source(application: Application) -> Source:
    (schema,) = await application.live_schemas(facilities.NAME)
    return source_in(schema)


def source_of(generation: int) -> Source:
    """As `source`, where the generation that is served is known."""
    return source_in(f"{facilities.NAME}_g{generation}")


def source_in(schema: str) -> Source:
    return Source(facilities.VIEW, schema, SQL("true"))


async def listed(
    application: Application, filter: FacilityFilter | None, wanted: Stretch
) -> FacilityConnection:
    """Raises RequestRefused."""
    of = await source(application)

    async def linking(_: str) -> Source:
        return of

    return FacilityConnection(
        listed=Listed(
            fetch=application.fetch,
            source=of,
            where=(filter or FacilityFilter()).where(),
            seals=application.seals,
            use="facilities",
            wanted=wanted,
            node=_entered,
            linking=linking,
        )
    )


def _entered(row: Mapping[str, Any]) -> Facility:
    return Facility.of(row["number"], row)


async def load_facilities(application: Application, numbers: list[str]) -> list[Facility]:
    """For a DataLoader: one statement for all numbers that a level of the answer asks for."""
    asked = (await source(application)).page([one_of("facility", numbers)], len(numbers), None)
    rows = {row["number"]: row for row in await application.fetch(asked)}
    return [Facility.of(number, rows.get(number)) for number in numbers]
