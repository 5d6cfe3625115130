"""Several patients at once: each decided by herself, each read in her own trail, and all of it one operation."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_bundle
from log_examples import opened_events
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.graphql.paging import PATIENTS_MAX
from tsuzuri.projections.first_look import first_look, first_looks
from world import Tell, World, tell_in

OTHER, CLOSED, NOBODY = "00099999:え:7:01", "00088888:お:8:02", "00077777:か:9:03"
READ = """query Read($patients: [PatientKey!]!) { patientRecords(patients: $patients) { __typename
    ... on PatientRecord { accessId patient { id name } entries { totalCount nodes { name } } }
    ... on AccessRefused { accessId reason } } }"""
GRANT = f"""mutation($number: String!) {{ grantConsent(patient: {{ insuredPerson: $number }}, facility: "{HOSPITAL}",
    classes: [CONDITION]) }}"""
WITHDRAW = f"""mutation($number: String!) {{
    withdrawConsent(patient: {{ insuredPerson: $number }}, facility: "{HOSPITAL}") }}"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def three(world: World) -> list[UUID]:
    """Three patients; the hospital may see two of them."""
    patients = []
    for number, condition in ((NUMBER, "高血圧症"), (OTHER, "狭心症"), (CLOSED, "腰痛")):
        local = f"P-{number[:8]}".encode()
        body = a_bundle(number=number, conditions={"1": condition}).replace(b'"P-1"', b'"' + local + b'"')
        patients.append((await world.application.register_bundle(CLINIC_SYSTEM, body)).patient)
    for number in (NUMBER, OTHER):
        await world.data(HOSPITAL_SYSTEM, GRANT, number=number)
    world.project()
    return patients


async def read(world: World, *keys: dict[str, Any]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = (await world.data(DOCTOR, READ, patients=list(keys)))["patientRecords"]
    return records


def by_number(*numbers: str) -> list[dict[str, Any]]:
    return [{"insuredPerson": number} for number in numbers]


def names(records: list[dict[str, Any]]) -> list[str]:
    """Of her entry, or why there is none to be had."""
    return [
        one["reason"] if one["__typename"] == "AccessRefused" else one["entries"]["nodes"][0]["name"]
        for one in records
    ]


def test_each_is_answered_in_her_place_and_a_refusal_takes_nothing_from_the_others(tell: Tell) -> None:
    async def story(world: World) -> None:
        await three(world)

        records = await read(world, *by_number(OTHER, NOBODY, CLOSED, NUMBER))
        assert names(records) == ["狭心症", "NOT_AVAILABLE", "NOT_AVAILABLE", "高血圧症"]
        assert (world.events("access-permitted"), world.events("access-refused")) == (2, 2)
        for refused in records[1:3]:
            refused.pop("accessId")
        assert records[1] == records[2], "nobody, and one who has said nothing, are answered alike"

        await world.data(HOSPITAL_SYSTEM, WITHDRAW, number=OTHER)
        assert names(await read(world, *by_number(OTHER, NUMBER))) == ["NOT_AVAILABLE", "高血圧症"]

    tell(story)


def test_the_reads_are_one_operation_and_no_trail_names_another_patient(tell: Tell) -> None:
    async def story(world: World) -> None:
        patients = await three(world)

        records = await read(world, *by_number(NUMBER, OTHER))

        stored = [one for one in opened_events(world.connection) if one.topic == AccessPermitted.TOPIC]
        events: list[AccessPermitted] = [event_mapper().to_domain_event(one) for one in stored]
        assert {str(event.event_id) for event in events} == {record["accessId"] for record in records}
        assert {event.patient for event in events} == set(patients[:2])
        (operation,) = {(event.audit.operation_sha256, event.audit.variables) for event in events}
        assert set(orjson.loads(operation[1])) == {"patients named", "their sha256"}
        assert len({event.audit.answer_sha256 for event in events}) == 2, "each of what was answered of her"
        assert all(event.audit.entries_shown == 1 for event in events)
        written = world.connection.execute(
            "SELECT DISTINCT xmin::text FROM event WHERE topic = 'access-permitted'"
        )
        assert len(written.fetchall()) == 1, "one transaction"

    tell(story)


def test_who_is_named_twice_is_read_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient, *_ = await three(world)

        records = await read(world, *by_number(NUMBER, OTHER), {"id": str(patient)})

        assert names(records) == ["高血圧症", "狭心症", "高血圧症"]
        assert records[0]["accessId"] == records[2]["accessId"]
        assert world.events("access-permitted") == 2

    tell(story)


def test_a_page_names_few_and_none_by_demographics(tell: Tell) -> None:
    async def story(world: World) -> None:
        said = {"demographics": {"kana": "シケン ハナコ", "birthDate": "1980-01-02", "sex": "female"}}
        many = [{"id": str(uuid4())}] * (PATIENTS_MAX + 1)
        for keys in ([], many, [said], [{"insuredPerson": "x"}]):
            (error,) = (await world.ask(DOCTOR, READ, patients=keys))["errors"]
            assert error["extensions"]["code"] == "BAD_INPUT"
        assert names(await read(world, *many[:PATIENTS_MAX])) == ["NOT_AVAILABLE"] * PATIENTS_MAX
        assert world.events("access-refused") == 1, "they were all the same"

    tell(story)


def test_looking_at_several_finds_what_looking_at_each_finds(tell: Tell) -> None:
    async def story(world: World) -> None:
        asked = [(patient, bytes(32)) for patient in (*await three(world), uuid4())]
        services = world.application.services

        together = await first_looks(services.reads, services.log, asked)

        apart = [await first_look(services.reads, services.log, *one) for one in asked]
        assert [look.heads for look in together] == [look.heads for look in apart]
        assert [look.last for look in together] == [look.last for look in apart]
        assert [look.stands.keys() for look in together] == [look.stands.keys() for look in apart]

    tell(story)
