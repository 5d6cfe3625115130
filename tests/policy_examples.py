"""A hospital that takes emergencies, a right to declare them there, and a disaster window where it lies."""

from datetime import timedelta
from functools import reduce
from typing import Any
from uuid import UUID

from examples import HOSPITAL, NOON, PATIENT
from tsuzuri.domain import disasters, facilities
from tsuzuri.domain.events import (
    DisasterWindowClosed,
    DisasterWindowOpened,
    EmergencyDeclared,
    EmergencyRightGiven,
    EmergencyWidened,
    FacilityClosed,
    FacilityListed,
    originator,
)
from tsuzuri.domain.facilities import FacilityEntry, FacilityEvent, new_entry
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.policies import Policies, Windows
from tsuzuri.domain.vocabulary import FacilityKind, Stream

TOWN, NEXT_TOWN = "11201", "11202"
RIGHT, WINDOW, EMERGENCY, NEXT = (UUID(int=0xF0000000000040008000000000000000 + n) for n in range(4))
AN_HOUR = timedelta(hours=1)


def listed(**changes: Any) -> FacilityListed:
    usual: dict[str, Any] = {
        "originator_id": originator(facility_owner(HOSPITAL), Stream.RECORD),
        "originator_version": 1,
        "event_id": UUID(int=RIGHT.int + 100),
        "facility": HOSPITAL,
        "name": "見本救急病院",
        "kind": FacilityKind.HOSPITAL,
        "municipality": TOWN,
        "emergency": True,
        "recorded_by": "operator-ono",
    }
    return FacilityListed(**usual | changes)


def right_given(**changes: Any) -> EmergencyRightGiven:
    """To the doctor of `a_request`, for an hour around noon."""
    usual: dict[str, Any] = {
        "originator_id": originator(facility_owner(HOSPITAL), Stream.RECORD),
        "originator_version": 2,
        "event_id": RIGHT,
        "facility": HOSPITAL,
        "person": "dr-hamada",
        "since": NOON - AN_HOUR,
        "until": NOON + AN_HOUR,
        "recorded_by": "admin-aoki",
    }
    return EmergencyRightGiven(**usual | changes)


def closed() -> FacilityClosed:
    return FacilityClosed(
        originator_id=originator(facility_owner(HOSPITAL), Stream.RECORD),
        originator_version=3,
        event_id=UUID(int=RIGHT.int + 200),
        facility=HOSPITAL,
        reason="廃止",
        recorded_by="operator-ono",
    )


def entry(*events: FacilityEvent) -> FacilityEntry:
    return reduce(facilities.evolve, events, new_entry(HOSPITAL))


def opened(**changes: Any) -> DisasterWindowOpened:
    usual: dict[str, Any] = {
        "originator_id": originator(disaster_owner(), Stream.RECORD),
        "originator_version": 1,
        "event_id": WINDOW,
        "municipalities": (TOWN, NEXT_TOWN),
        "since": NOON - AN_HOUR,
        "until": NOON + AN_HOUR,
        "reason": "地震",
        "recorded_by": "operator-ono",
    }
    return DisasterWindowOpened(**usual | changes)


def windows(*events: DisasterWindowOpened | DisasterWindowClosed) -> Windows:
    return reduce(disasters.evolve, events, Windows(disaster_owner()))


def policies(*, hospital: FacilityEntry | None = None, area: Windows | None = None) -> Policies:
    """The hospital takes emergencies, the doctor may declare them, and no window is open."""
    return Policies(entry(listed(), right_given()) if hospital is None else hospital, area)


def declared(**changes: Any) -> EmergencyDeclared:
    """By the doctor of `a_request`, from half an hour before noon until half an hour after."""
    usual: dict[str, Any] = {
        "originator_id": originator(PATIENT, Stream.CONSENT),
        "originator_version": 1,
        "event_id": EMERGENCY,
        "patient": PATIENT,
        "person": "dr-hamada",
        "facility": HOSPITAL,
        "reason": "意識なし",
        "identified_by": "ID",
        "since": NOON - AN_HOUR / 2,
        "until": NOON + AN_HOUR / 2,
    }
    return EmergencyDeclared(**usual | changes)


def widened(**changes: Any) -> EmergencyWidened:
    usual: dict[str, Any] = {
        "originator_id": originator(PATIENT, Stream.CONSENT),
        "originator_version": 2,
        "event_id": NEXT,
        "patient": PATIENT,
        "emergency": EMERGENCY,
        "person": "dr-hamada",
        "reason": "手術の予定",
    }
    return EmergencyWidened(**usual | changes)
