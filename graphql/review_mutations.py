"""Closing a review, and what a facility says of itself so that unusual access can be told from ordinary care."""

from datetime import date, time
from typing import Annotated

import strawberry
from strawberry.types import Info

from tsuzuri.domain import opening_hours
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.enums import ReviewFinding
from tsuzuri.graphql.inputs import uuid_of
from tsuzuri.graphql.permissions import allowed


@strawberry.input(description="診療時間: open on one day of every week, in Japan's time.")
class OpenPeriod:
    weekday: int = strawberry.field(description="1 is Monday, 7 Sunday.")
    opens: time = strawberry.field(description="09:00.")
    closes: time = strawberry.field(description="18:00; 00:00 is midnight, at the day's end.")

    def checked(self) -> opening_hours.OpenPeriod:
        """Raises RequestRefused."""
        if self.opens.tzinfo is not None or self.closes.tzinfo is not None:
            raise RequestRefused("BAD_INPUT", "hours are Japan's: leave the zone out")
        return opening_hours.OpenPeriod(weekday=self.weekday, opens=self.opens, closes=self.closes)


@strawberry.input(description="Somebody who works at your facility.")
class StaffName:
    person: str = strawberry.field(description="As her token names her.")
    family_name_kana: str = strawberry.field(description="姓(カナ).")


@strawberry.type
class ReviewMutation:
    @strawberry.mutation(
        description="Close a review with what you found. Once: what is read afterwards opens the next. Returns the "
        "event's id.",
        permission_classes=allowed(Role.AUDITOR, Role.FACILITY_ADMIN),
    )
    async def close_review(
        self,
        info: Info[Context, None],
        review: strawberry.ID,
        finding: ReviewFinding,
        words: Annotated[str, strawberry.argument(description="Why; stands in the log.")],
    ) -> strawberry.ID:
        event = await info.context.application.close_review(
            info.context.caller, uuid_of(review, "a review"), finding, words
        )
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="診療時間: when a facility is open from now on. False: that was said already.",
        permission_classes=allowed(Role.FACILITY_ADMIN, Role.OPERATOR),
    )
    async def set_facility_hours(
        self,
        info: Info[Context, None],
        number: Annotated[str, strawberry.argument(description="医療機関番号: 10 digits; yours.")],
        weekly: list[OpenPeriod],
        closed_days: Annotated[
            list[date] | None,
            strawberry.argument(description="休診日: days on which the week does not hold."),
        ] = None,
    ) -> bool:
        periods = [one.checked() for one in weekly]
        return await info.context.application.set_facility_hours(
            info.context.caller, number, periods, closed_days or []
        )

    @strawberry.mutation(
        description="Name people who work at your facility. Who is not named keeps her name. False: no news.",
        permission_classes=allowed(Role.FACILITY_ADMIN),
    )
    async def name_staff(self, info: Info[Context, None], staff: list[StaffName]) -> bool:
        names = {one.person: one.family_name_kana for one in staff}
        return await info.context.application.name_staff(info.context.caller, names)
