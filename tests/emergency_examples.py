"""A hospital that takes emergencies, a doctor there with the right to declare one, and what she asks."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from examples import CLINIC, HOSPITAL, OPERATOR, a_caller
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.facilities import Facility
from tsuzuri.domain.vocabulary import FacilityKind, Role
from world import World

ADMIN = a_caller("admin-aoki", Role.FACILITY_ADMIN, HOSPITAL)
TOWN = "11201"  # where the hospital lies
HOSPITAL_ENTRY = Facility(HOSPITAL, "見本救急病院", FacilityKind.HOSPITAL, TOWN, "見本市", emergency=True)
CLINIC_ENTRY = Facility(CLINIC, "見本診療所", FacilityKind.CLINIC, "11202", "別の市")

GIVE = (
    """mutation($person: String!, $until: DateTime!) { giveEmergencyRight(person: $person, until: $until) }"""
)
TAKE = """mutation($right: ID!) { takeEmergencyRight(right: $right) }"""
DECLARE = """mutation($patient: PatientKey!, $reason: String!, $minutes: Int! = 60) {
  declareEmergency(patient: $patient, reason: $reason, minutes: $minutes) { __typename
    ... on Emergency { id patient until } ... on AccessRefused { accessId reason } } }"""
WIDEN = """mutation($patient: PatientKey!, $emergency: ID!, $reason: String! = "手術の予定") {
  widenEmergency(patient: $patient, emergency: $emergency, reason: $reason) }"""
END = """mutation($patient: PatientKey!, $emergency: ID!) {
  endEmergency(patient: $patient, emergency: $emergency) }"""
READ = """query($patient: PatientKey!, $purpose: PurposeOfUse! = BTG) {
  patientRecord(patient: $patient, purpose: $purpose) { __typename
  ... on PatientRecord { grounds { basis classes flags emergencyTable because } lastCheckup
    patient { id } entries { totalCount nodes { id name } } documents { totalCount nodes { title } }
    summary { conditions { name } drugAllergies { name } prescriptions { name } labResults { name } } }
  ... on AccessRefused { accessId reason } } }"""
OPEN_WINDOW = """mutation($towns: [String!]!, $since: DateTime, $until: DateTime!) {
  openDisasterWindow(municipalities: $towns, since: $since, until: $until, reason: "地震") }"""
CLOSE_WINDOW = """mutation($window: ID!, $towns: [String!]) {
  closeDisasterWindow(window: $window, municipalities: $towns) }"""


def now_is(world: World, moment: datetime) -> None:
    """What the service takes for now."""
    object.__setattr__(world.application.services, "now", lambda: moment)


def soon(hours: int = 12) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def entitled(world: World, person: str = "dr-hamada") -> str:
    """The hospital is listed, and its administrator names the doctor; the right's id."""
    await world.application.list_facility(OPERATOR, HOSPITAL_ENTRY)
    await world.application.list_facility(OPERATOR, CLINIC_ENTRY)
    right: str = (await world.data(ADMIN, GIVE, person=person, until=soon()))["giveEmergencyRight"]
    return right


def by_id(patient: UUID | str) -> dict[str, Any]:
    return {"id": str(patient)}


async def declared(world: World, caller: Caller, patient: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"patient": patient, "reason": "意識なし、搬送"} | more
    answer: dict[str, Any] = (await world.data(caller, DECLARE, **said))["declareEmergency"]
    return answer


async def read(world: World, caller: Caller, patient: dict[str, Any], purpose: str = "BTG") -> dict[str, Any]:
    answer: dict[str, Any] = (await world.data(caller, READ, patient=patient, purpose=purpose))[
        "patientRecord"
    ]
    return answer
