"""One event of each class that opens a record without consent, and of each that lets it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from examples import HOSPITAL, PATIENT
from tsuzuri.domain.events import (
    DisasterWindowClosed,
    DisasterWindowOpened,
    EmergencyDeclared,
    EmergencyEnded,
    EmergencyRightGiven,
    EmergencyRightTaken,
    EmergencyWidened,
    Event,
    originator,
)
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.vocabulary import Stream

SINCE, UNTIL = datetime(2026, 7, 1, 3, 0, tzinfo=UTC), datetime(2026, 7, 1, 4, 0, tzinfo=UTC)


def _id(number: int) -> UUID:
    return UUID(int=0xE0000000000040008000000000000000 + number)


def _in(owner: UUID, stream: Stream, number: int) -> dict[str, Any]:
    return {
        "originator_id": originator(owner, stream),
        "originator_version": number,
        "event_id": _id(number),
    }


ENTITLEMENT_EXAMPLES: tuple[Event, ...] = (
    EmergencyDeclared(
        **_in(PATIENT, Stream.CONSENT, 1),
        patient=PATIENT,
        person="dr-hamada",
        facility=HOSPITAL,
        reason="意識なし",
        identified_by="DEMOGRAPHICS",
        since=SINCE,
        until=UNTIL,
        shows_undelivered=True,
    ),
    EmergencyWidened(
        **_in(PATIENT, Stream.CONSENT, 2),
        patient=PATIENT,
        emergency=_id(1),
        person="dr-hamada",
        reason="手術歴の確認",
    ),
    EmergencyEnded(
        **_in(PATIENT, Stream.CONSENT, 3), patient=PATIENT, emergency=_id(1), recorded_by="dr-hamada"
    ),
    EmergencyRightGiven(
        **_in(facility_owner(HOSPITAL), Stream.RECORD, 4),
        facility=HOSPITAL,
        person="dr-hamada",
        since=SINCE,
        until=UNTIL,
        recorded_by="admin-aoki",
    ),
    EmergencyRightTaken(
        **_in(facility_owner(HOSPITAL), Stream.RECORD, 5),
        facility=HOSPITAL,
        right=_id(4),
        recorded_by="admin-aoki",
    ),
    DisasterWindowOpened(
        **_in(disaster_owner(), Stream.RECORD, 6),
        municipalities=("17202", "17204"),
        since=SINCE,
        until=UNTIL,
        reason="地震",
        recorded_by="operator-ono",
    ),
    DisasterWindowClosed(
        **_in(disaster_owner(), Stream.RECORD, 7),
        window=_id(6),
        municipalities=("17202",),
        recorded_by="operator-ono",
    ),
)
