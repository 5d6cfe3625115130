"""Reads that are reviewed: a clinic's doctor looks at people who were never there, and a hospital's in an emergency."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from event_examples import EXAMPLES
from examples import CLINIC, DOCTOR, HOSPITAL, OPERATOR, a_caller
from tsuzuri.domain.events import AccessPermitted, PatientIdentified, originator
from tsuzuri.domain.opening_hours import JAPAN
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside
from world import KEY, World

MONDAY = datetime(2026, 6, 1, 10, 0, tzinfo=JAPAN)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ADMIN = a_caller("admin-aoki", Role.FACILITY_ADMIN, HOSPITAL)
CLINIC_ADMIN = a_caller("admin-endo", Role.FACILITY_ADMIN, CLINIC)
READ = next(event for event in EXAMPLES if isinstance(event, AccessPermitted))
NAMED = next(event for event in EXAMPLES if isinstance(event, PatientIdentified))
LIST = "mutation($f: FacilityInput!) { listFacility(facility: $f) }"
TOWN = {"municipality": "17202", "municipalityName": "七尾市"}
RECORD = f"""query($purpose: PurposeOfUse!) {{ patientRecord(patient: {KEY}, purpose: $purpose) {{
    __typename ... on PatientRecord {{ entries {{ totalCount }} }} ... on AccessRefused {{ reason }} }} }}"""
HOURS = f"""mutation {{ setFacilityHours(number: "{CLINIC}", closedDays: ["2026-06-05"],
    weekly: [{{ weekday: 1, opens: "09:00", closes: "18:00" }},
             {{ weekday: 5, opens: "09:00", closes: "18:00" }}]) }}"""
NAMES = """mutation { nameStaff(staff: [{ person: "dr-sakai", familyNameKana: "さかい" }]) }"""


def dated(world: World, at: datetime, event: UUID) -> None:
    """It was recorded then: time goes by while a story is told."""
    world.connection.execute("UPDATE event SET recorded_at = %s WHERE event_id = %s", (at, event))


async def read(world: World, at: datetime, patient: UUID) -> UUID:
    """By the clinic's doctor, under a consent, of somebody who was never there."""
    event = replace(
        READ,
        originator_id=originator(patient, Stream.ACCESS),
        event_id=uuid4(),
        patient=patient,
        told=replace(READ.told, person="dr-sakai", role=Role.CLINICIAN, facility=CLINIC),
    )
    await world.application.services.log.append_access([event], Beside())
    dated(world, at, event.event_id)
    return event.event_id


async def named(world: World, at: datetime, patient: UUID, kana: str) -> None:
    event = replace(
        NAMED,
        originator_id=originator(patient, Stream.RECORD),
        event_id=uuid4(),
        patient=patient,
        demographics=replace(NAMED.demographics, kana=kana),
    )
    await world.application.services.log.save(event)
    dated(world, at, event.event_id)


async def described(world: World, monday: datetime = MONDAY) -> None:
    """The clinic is listed, open on Mondays and Fridays, and has named its doctor, for a month."""
    listed = {"number": CLINIC, "name": "試験診療所", "kind": "CLINIC"}
    await world.data(OPERATOR, LIST, f=listed)
    assert await world.data(CLINIC_ADMIN, HOURS) == {"setFacilityHours": True}
    assert await world.data(CLINIC_ADMIN, NAMES) == {"nameStaff": True}
    world.connection.execute("UPDATE event SET recorded_at = %s", (monday - 30 * DAY,))


async def snooped(world: World, monday: datetime = MONDAY) -> UUID:
    """Eight strangers in a morning, a namesake, and one in the night a week later; the namesake's id."""
    await described(world, monday)
    for number in range(8):
        await read(world, monday + number * MINUTE, uuid4())
    namesake = uuid4()
    await named(world, monday - DAY, namesake, "サカイ　ハナコ")
    await read(world, monday + 5 * MINUTE, namesake)
    await read(world, monday.replace(hour=23) + 7 * DAY, uuid4())
    world.project()
    return namesake


async def declared(world: World) -> str:
    """The hospital takes emergencies, the clinic has registered the patient, and the doctor declares one."""
    hospital = {"number": HOSPITAL, "name": "試験病院", "kind": "HOSPITAL", "emergency": True, **TOWN}
    await world.data(OPERATOR, LIST, f=hospital)
    await world.data(
        ADMIN, 'mutation { giveEmergencyRight(person: "dr-hamada", until: "2090-01-01T00:00:00Z") }'
    )
    await world.register()
    answer = await world.data(
        DOCTOR,
        f'mutation {{ declareEmergency(patient: {KEY}, reason: "意識なし") {{ ... on Emergency {{ id }} }} }}',
    )
    world.project()
    return str(answer["declareEmergency"]["id"])
