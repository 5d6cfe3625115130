"""One event of each class that those who watch over reads make, and of what a facility says of itself."""

from datetime import UTC, date, datetime, time
from uuid import UUID

from event_values import SHA
from examples import CLINIC, PATIENT, STRANGER
from tsuzuri.domain.events import (
    DocumentKept,
    Event,
    FacilityHoursSet,
    ReplayContentAllowed,
    ReviewClosed,
    ReviewOpened,
    StaffNamed,
    originator,
)
from tsuzuri.domain.opening_hours import OpeningHours, OpenPeriod
from tsuzuri.domain.owners import access_owner, documents_owner, facility_owner
from tsuzuri.domain.vocabulary import ReviewFinding, Role, Stream

SINCE, UNTIL = datetime(2026, 7, 1, 12, 0, tzinfo=UTC), datetime(2026, 7, 1, 12, 40, tzinfo=UTC)


def _id(number: int) -> UUID:
    return UUID(int=0xD0000000000040008000000000000000 + number)


REVIEW_EXAMPLES: tuple[Event, ...] = (
    ReviewOpened(
        originator_id=originator(facility_owner(CLINIC), Stream.ACCESS),
        originator_version=0,
        event_id=_id(1),
        rule="MANY_PATIENTS",
        rules="2026-11",
        person="dr-sakai",
        role=Role.CLINICIAN,
        facility=CLINIC,
        patients=(PATIENT, STRANGER),
        accesses=(_id(2), _id(3)),
        emergency=_id(4),
        since=SINCE,
        until=UNTIL,
        says="2 patients were read.",
        says_ja="患者2名を閲覧。",
    ),
    ReviewClosed(
        originator_id=originator(facility_owner(CLINIC), Stream.ACCESS),
        originator_version=0,
        event_id=_id(5),
        review=_id(1),
        finding=ReviewFinding.JUSTIFIED,
        words="健診の準備",
        closed_by="admin-aoki",
        role=Role.FACILITY_ADMIN,
    ),
    FacilityHoursSet(
        originator_id=originator(facility_owner(CLINIC), Stream.RECORD),
        originator_version=6,
        event_id=_id(6),
        facility=CLINIC,
        hours=OpeningHours(
            weekly=(
                OpenPeriod(weekday=1, opens=time(9), closes=time(12, 30)),
                OpenPeriod(weekday=1, opens=time(15), closes=time(0)),
            ),
            closed_days=(date(2026, 12, 31),),
        ),
        recorded_by="admin-aoki",
    ),
    StaffNamed(
        originator_id=originator(facility_owner(CLINIC), Stream.RECORD),
        originator_version=7,
        event_id=_id(7),
        facility=CLINIC,
        names={"dr-sakai": "サカイ"},
        recorded_by="admin-aoki",
    ),
    DocumentKept(
        originator_id=originator(documents_owner(), Stream.ACCESS),
        originator_version=0,
        event_id=_id(8),
        sha256=SHA,
        document="query Own { me { summary { conditions { name } } } }",
    ),
    ReplayContentAllowed(
        originator_id=originator(access_owner(_id(2)), Stream.ACCESS),
        originator_version=0,
        event_id=_id(9),
        access=_id(2),
        to="auditor-abe",
        until=UNTIL,
        person="operator-ono",
        role=Role.OPERATOR,
        session="s-1",
    ),
)
