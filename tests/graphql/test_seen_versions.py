"""What was shown and is otherwise now, or is kept from the patient; and what a facility sent that is not kept."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection

from examples import (
    CLINIC,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    a_bundle,
    a_caller,
    herself,
)
from explained_examples import begun, now, read
from question_examples import EVER, accesses, ask, entries
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import RequestRefused
from world import CANCEL, CONSENT, KEY, Tell, World, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


# --- what was shown


def test_views_of_what_the_patient_has_not_been_told(tell: Tell) -> None:
    async def story(world: World) -> None:
        plain = {"20065011": "上腹部痛"}
        patient = (await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(conditions=plain))).patient
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        before = await entries(world)
        assert before["entries"]["totalCount"] == 1
        marked = a_bundle(
            timestamp="2026-11-20T12:00:00+09:00",
            conditions=plain | {"20061423": "胃癌"},
            flags={"20061423": "UNINFORMED"},
        )
        await world.application.register_bundle(CLINIC_SYSTEM, marked)
        seen = await entries(world)
        await world.data(herself(patient), "{ me { record { entries { nodes { name } } } } }")
        counted = f"{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ patient {{ name }} }} }} }}"
        await world.data(DOCTOR, counted)
        cleared = a_bundle(timestamp="2026-11-20T13:00:00+09:00", conditions=plain)
        await world.application.register_bundle(CLINIC_SYSTEM, cleared)
        after = await entries(world)
        assert after["accessId"] != seen["accessId"]

        answer = await ask(world, "UNINFORMED_SEEN", **EVER)

        assert accesses(answer) == [seen["accessId"]], "before it was marked, shown, and after"
        assert answer["findings"][0]["classes"] == ["CONDITION"]
        assert accesses(await ask(world, "UNINFORMED_SEEN", **EVER, facility=CLINIC)) == []

    tell(story)


@pytest.mark.parametrize("how", ["replaced", "cancelled"])
def test_who_saw_what_was_corrected_since_and_whom_to_tell(tell: Tell, how: str) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        first, second = (
            await entries(world),
            await entries(world, a_caller("dr-er", Role.CLINICIAN, HOSPITAL)),
        )
        own = await entries(world, a_caller("dr-sakai", Role.CLINICIAN, CLINIC))
        nothing = await read(world)
        corrected = {"timestamp": "2026-11-20T12:00:00+09:00", "conditions": {"20061423": "高血圧症"}}
        if how == "replaced":
            await world.register(**corrected)
        else:
            await world.data(CLINIC_SYSTEM, CANCEL)
        later = await entries(world)
        assert later["accessId"] != first["accessId"]

        answer = await ask(world, "SUPERSEDED_SEEN", patient=str(patient))

        assert accesses(answer) == [one["accessId"] for one in (first, second, own)]
        assert nothing["accessId"] not in accesses(answer), "it showed a count, and no entry"
        assert all(how in one["words"] and one["document"] for one in answer["findings"])
        told = [(one["facility"]["number"], one["persons"]) for one in answer["toTell"]]
        assert told == [(CLINIC, ["dr-sakai"]), (HOSPITAL, ["dr-er", "dr-hamada"])]
        document = answer["findings"][0]["document"]
        for asked, found in ((document, 3), (str(uuid4()), 0)):
            again = await ask(world, "SUPERSEDED_SEEN", patient=str(patient), document=asked)
            assert len(again["findings"]) == found
        here = await ask(world, "SUPERSEDED_SEEN", patient=str(patient), facility=CLINIC)
        assert accesses(here) == [own["accessId"]]

    tell(story)


# --- Bundles


def test_rejected_and_cancelled_bundles_of_each_facility(tell: Tell) -> None:
    async def story(world: World) -> None:
        begin = now(world)
        await begun(world)
        for sender in (CLINIC_SYSTEM, HOSPITAL_SYSTEM, HOSPITAL_SYSTEM):
            with pytest.raises(RequestRefused) as refused:
                await world.application.register_bundle(
                    sender, a_bundle().replace(b'"collection"', b'"batch"')
                )
            assert refused.value.code == "BUNDLE_REJECTED"
        await world.data(CLINIC_SYSTEM, CANCEL)

        answer = await ask(world, "BUNDLES_NOT_KEPT", **EVER)

        counts = {one["facility"]["number"]: (one["number"], one["words"]) for one in answer["findings"]}
        assert counts[CLINIC][0] == 2 and counts[HOSPITAL][0] == 2
        assert counts[CLINIC][1].startswith("1 Bundles rejected") and "1 cancelled" in counts[CLINIC][1]
        assert counts[HOSPITAL][1].startswith("2 Bundles rejected") and "0 cancelled" in counts[HOSPITAL][1]
        only = await ask(world, "BUNDLES_NOT_KEPT", **EVER, facility=HOSPITAL)
        assert [one["facility"]["number"] for one in only["findings"]] == [HOSPITAL]
        past = {"from": EVER["from"], "to": begin.isoformat()}
        assert (await ask(world, "BUNDLES_NOT_KEPT", **past))["findings"] == []
        moment = world.connection.execute(
            "SELECT recorded_at FROM event WHERE topic = 'bundle-cancelled'"
        ).fetchone()
        assert moment is not None
        cancelled: datetime = moment[0]
        last = {"from": cancelled.isoformat(), "to": EVER["to"]}
        (found,) = (await ask(world, "BUNDLES_NOT_KEPT", **last))["findings"]
        assert found["words"] == "0 Bundles rejected, 1 cancelled."

    tell(story)
