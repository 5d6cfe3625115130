"""What those who watch over reads change, each one action, with its refusals in words and codes."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from tsuzuri.app.actions.close_review import close_review
from tsuzuri.app.actions.describe_facility import name_facility_staff, set_facility_hours
from tsuzuri.app.services import Services
from tsuzuri.app.told import told
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.opening_hours import OpenPeriod
from tsuzuri.domain.vocabulary import ReviewFinding


class Reviewing:
    """Actions on the services that the application gives."""

    services: Services

    async def close_review(self, caller: Caller, review: UUID, finding: ReviewFinding, words: str) -> UUID:
        with told():
            return await close_review(self.services, caller, review, finding, words)

    async def set_facility_hours(
        self, caller: Caller, number: str, weekly: list[OpenPeriod], closed_days: list[date]
    ) -> bool:
        with told():
            return await set_facility_hours(self.services, caller, number, weekly, closed_days)

    async def name_staff(self, caller: Caller, names: Mapping[str, str]) -> bool:
        with told():
            return await name_facility_staff(self.services, caller, names)
