"""医療機関: facilities, by name where the operating body has listed them."""

from collections.abc import Mapping
from typing import Any, Self

import strawberry
from psycopg.sql import SQL

from tsuzuri.graphql.context import Application
from tsuzuri.graphql.paging import Connection
from tsuzuri.graphql.statements import Source, one_of
from tsuzuri.projections import facilities


@strawberry.type(description="医療機関. Only the number is known of one that is not listed.")
class Facility:
    number: str = strawberry.field(description="保険医療機関番号: 10 digits.")
    name: str | None = strawberry.field(description="Its name.")
    kind: str | None = strawberry.field(description="HOSPITAL, CLINIC, DENTAL, PHARMACY, CHECKUP_CENTRE.")
    municipality_name: str | None = strawberry.field(description="Where it is.")
    departments: list[str] = strawberry.field(description="診療科.")
    emergency: bool = strawberry.field(description="May use emergency access.")

    @classmethod
    def of(cls, number: str, row: Mapping[str, Any] | None) -> Self:
        if row is None:
            return cls(
                number=number, name=None, kind=None, municipality_name=None, departments=[], emergency=False
            )
        return cls(
            number=number,
            name=row["name"],
            kind=row["kind"],
            municipality_name=row["municipalityName"],
            departments=row["departments"],
            emergency=row["emergency"],
        )


@strawberry.type(description="Listed facilities, by number, highest first.")
class FacilityConnection(Connection[Facility]):
    pass


async def source(application: Application) -> Source:
    return Source(facilities.VIEW, await application.live_schema(facilities.NAME), SQL("true"))


async def load_facilities(application: Application, numbers: list[str]) -> list[Facility]:
    """For a DataLoader: one statement for all numbers that a level of the answer asks for."""
    listed = (await source(application)).page([one_of("facility", numbers)], len(numbers), None)
    rows = {row["number"]: row for row in await application.fetch(listed)}
    return [Facility.of(number, rows.get(number)) for number in numbers]
