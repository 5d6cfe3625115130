"""Accesses and what is told of them afterwards: the questions of auditors, and the people in the stories."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from examples import (
    AUDITOR,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    a_bundle,
    a_caller,
)
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from world import CONSENT, KEY, World

A_MICROSECOND = timedelta(microseconds=1)
ER_DOCTOR = a_caller("dr-er", Role.CLINICIAN, HOSPITAL)
PHARMACIST = a_caller("ph-sato", Role.PHARMACIST, HOSPITAL)
ADMIN = a_caller("admin-aoki", Role.FACILITY_ADMIN, HOSPITAL)

READ = f"""query($purpose: PurposeOfUse!) {{ patientRecord(patient: {KEY}, purpose: $purpose) {{ __typename
  ... on PatientRecord {{ accessId grounds {{ basis because }} entries {{ totalCount }} }}
  ... on AccessRefused {{ accessId reason }} }} }}"""
STEPS = """decision reason agrees decidedAt consentVersion grounds { basis because }
  steps { rule matched because endedBy words(language: EN) japanese: words(language: JA) }"""
EXPLAIN = f"query($id: ID!) {{ access(id: $id) {{ outcome explanation {{ {STEPS} }} }} }}"
ACCESS_AT = f"""query($patient: ID!, $facility: String!, $at: DateTime!, $purpose: PurposeOfUse! = TREAT,
  $role: Role! = CLINICIAN, $person: String! = "") {{
  accessAt(patient: $patient, facility: $facility, at: $at, purpose: $purpose, role: $role, person: $person)
  {{ {STEPS} }} }}"""
LIST = f"""mutation($emergency: Boolean!) {{ listFacility(facility: {{ number: "{HOSPITAL}", name: "中央病院",
  kind: HOSPITAL, emergency: $emergency, municipality: "17202", municipalityName: "七尾市" }}) }}"""
GIVE = 'mutation { giveEmergencyRight(person: "dr-er", until: "2090-01-01T00:00:00Z") }'
DECLARE = f"""mutation {{ declareEmergency(patient: {KEY}, reason: "意識なし") {{ __typename
  ... on Emergency {{ id until }} ... on AccessRefused {{ accessId reason }} }} }}"""
OPEN = """mutation($since: DateTime, $until: DateTime!) {
  openDisasterWindow(municipalities: ["17202"], since: $since, until: $until, reason: "地震") }"""
CLOSE = "mutation($id: ID!) { closeDisasterWindow(window: $id) }"
LINK = 'mutation($a: ID!, $b: ID!) { linkPatients(survivor: $a, other: $b, reason: "確認済") }'
OWN = """{ me { accesses { nodes { id
  explanation { basis words(language: EN) japanese: words(language: JA) } } } } }"""


def at(world: World, moment: datetime) -> None:
    """What the service takes for now."""
    object.__setattr__(world.application.services, "now", lambda: moment)


def now(world: World) -> datetime:
    return world.application.services.now()


async def read(
    world: World, caller: Caller = DOCTOR, purpose: str = "TREAT", *, moment: datetime | None = None
) -> dict[str, Any]:
    if moment is not None:
        at(world, moment)
    found: dict[str, Any] = (await world.data(caller, READ, purpose=purpose))["patientRecord"]
    return found


async def explained(world: World, access: dict[str, Any]) -> dict[str, Any]:
    """Why this access came out as it did; in every case as it was recorded."""
    world.project()
    explanation: dict[str, Any] = (await world.data(AUDITOR, EXPLAIN, id=access["accessId"]))["access"][
        "explanation"
    ]
    assert explanation["agrees"] is True
    permitted = access["__typename"] == "PatientRecord"
    assert explanation["decision"] == ("PERMITTED" if permitted else "REFUSED")
    return explanation


async def access_at(world: World, patient: UUID, moment: datetime, **more: str) -> dict[str, Any]:
    asked = {"patient": str(patient), "facility": HOSPITAL, "at": moment.isoformat()} | more
    explanation: dict[str, Any] = (await world.data(AUDITOR, ACCESS_AT, **asked))["accessAt"]
    assert explanation["agrees"] is None, "nothing was recorded"
    return explanation


def step(explanation: dict[str, Any], rule: str) -> dict[str, Any]:
    (found,) = [one for one in explanation["steps"] if one["rule"] == rule]
    return dict(found)


async def begun(world: World) -> UUID:
    """One diagnosis from the clinic, which the hospital may see for 24 hours."""
    told = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle())
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    return told.patient
