"""`me { emergencies }`: where and when her record was opened without consent; never why, or by whom."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from emergency_examples import END, WIDEN, by_id, declared, entitled, now_is
from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, NUMBER, OPERATOR, STRANGER, a_bundle, herself
from fence_examples import LINK
from log_examples import destroy_key
from tsuzuri.domain.vocabulary import Stream
from world import Tell, World, tell_in

HER = {"insuredPerson": NUMBER}
HERS = """{ me { emergencies { id identifiedBy declaredAt until endedAt widenedAt widened inForce
  facility { number name } } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def told(world: World, patient: UUID) -> list[dict[str, Any]]:
    world.project()
    found: list[dict[str, Any]] = (await world.data(herself(patient), HERS))["me"]["emergencies"]
    return found


async def known(world: World, **changes: Any) -> UUID:
    answer = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(**changes))
    return answer.patient


def test_the_newest_comes_first_with_how_far_it_went_and_whether_it_is_over(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await known(world)
        await entitled(world)
        first = await declared(world, DOCTOR, HER)
        await world.data(DOCTOR, WIDEN, patient=HER, emergency=first["id"])
        await world.data(DOCTOR, WIDEN, patient=HER, emergency=first["id"])
        await world.data(DOCTOR, END, patient=HER, emergency=first["id"])
        second = await declared(world, DOCTOR, by_id(patient), minutes=30)

        newest, oldest = await told(world, patient)

        assert (newest["id"], oldest["id"]) == (second["id"], first["id"])
        assert (newest["until"], newest["identifiedBy"]) == (second["until"], "ID")
        assert (newest["widened"], newest["widenedAt"], newest["endedAt"]) == (False, None, None)
        assert (newest["inForce"], oldest["inForce"]) == (True, False)
        assert oldest["facility"] == {"number": HOSPITAL, "name": "見本救急病院"}
        assert oldest["identifiedBy"] == "INSURED_PERSON"
        assert oldest["widened"] is True
        assert oldest["declaredAt"] < oldest["widenedAt"] < oldest["endedAt"]

    tell(story)


def test_it_is_over_when_its_time_is(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await known(world)
        await entitled(world)
        until = datetime.fromisoformat((await declared(world, DOCTOR, HER, minutes=5))["until"])

        for at, in_force in ((until - timedelta(microseconds=1), True), (until, False)):
            now_is(world, at.astimezone(UTC))
            assert [one["inForce"] for one in await told(world, patient)] == [in_force]

    tell(story)


def test_neither_the_reason_nor_the_person_is_kept_for_her(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await known(world)
        await entitled(world)
        emergency = (await declared(world, DOCTOR, HER))["id"]
        await world.data(DOCTOR, WIDEN, patient=HER, emergency=emergency)
        shown = str(await told(world, patient))
        stored = str(
            world.connection.execute("SELECT t::text FROM consent_register_g1.emergency t").fetchall()
        )

        for hidden in ("意識なし", "手術の予定", DOCTOR.person):
            assert hidden not in shown and hidden not in stored
        assert emergency in shown and emergency in stored

    tell(story)


def test_somebody_else_has_none_and_who_is_linked_has_those_of_both(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await known(world)
        second = a_bundle(number="00012345:いう:200:01", local_id="set-2").replace(b'"P-1"', b'"P-2"')
        other = (await world.application.register_bundle(CLINIC_SYSTEM, second)).patient
        await entitled(world)
        await declared(world, DOCTOR, HER)

        assert len(await told(world, patient)) == 1
        assert await told(world, other) == []
        assert await told(world, STRANGER) == []
        await world.data(OPERATOR, LINK, survivor=str(patient), other=str(other))
        assert await told(world, other) == await told(world, patient) != []

    tell(story)


def test_with_her_consents_the_emergencies_are_erased(tell: Tell, dsn: str) -> None:
    async def story(world: World) -> None:
        patient = await known(world)
        await entitled(world)
        await declared(world, DOCTOR, HER)
        before = await told(world, patient)
        destroy_key(dsn, patient, Stream.CONSENT, version(world, patient) + 1)

        assert (len(before), await told(world, patient)) == (1, [])

    tell(story)


def version(world: World, patient: UUID) -> int:
    """Where her record stream stands."""
    row = world.connection.execute(
        "SELECT max(version) FROM event WHERE patient_id = %s AND stream = %s", (patient, Stream.RECORD.value)
    ).fetchone()
    assert row is not None
    return int(row[0])
