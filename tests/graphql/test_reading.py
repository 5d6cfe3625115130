"""A clinician, a patient and an auditor read one record: what each sees, and what the log says of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from examples import AUDITOR, CLINIC_SYSTEM, DOCTOR, HOSPITAL_SYSTEM, NUMBER, herself
from world import CANCEL, CONSENT, ENTRIES, KEY, ME, WITHDRAW, Tell, World, names, record_id, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def test_consent_opens_and_withdrawal_closes_the_very_next_read(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        world.project()

        before = await world.record()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        seen = await world.record()
        await world.data(HOSPITAL_SYSTEM, WITHDRAW)
        after = await world.record()

        assert (before["__typename"], before["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
        assert names(seen) == ["上腹部痛"]
        assert [c["name"] for c in seen["summary"]["conditions"]] == ["上腹部痛"]
        assert (after["__typename"], after["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
        assert (world.events("access-permitted"), world.events("access-refused")) == (1, 2)

    tell(story)


def test_an_unknown_patient_and_one_without_consent_are_answered_alike(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        world.project()

        without_consent = await world.ask(DOCTOR, ENTRIES)
        unknown = await world.ask(DOCTOR, ENTRIES.replace(NUMBER, "99999999:0:0:00"))

        for answer in (without_consent, unknown):
            assert answer["data"]["patientRecord"].pop("accessId")
        assert without_consent == unknown

    tell(story)


def test_a_class_that_consent_does_not_list_leaves_no_trace(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT.replace("CONDITION", "LAB_RESULT"))
        world.project()

        record = await world.record()

        assert record["entries"] == {"totalCount": 0, "nodes": []}
        assert record["timeline"]["nodes"] == []
        assert record["summary"]["conditions"] == []

    tell(story)


def test_untold_diagnoses_are_marked_for_clinicians_and_absent_for_the_patient(tell: Tell) -> None:
    async def story(world: World) -> None:
        conditions = {"20065011": "上腹部痛", "20071111": "膵癌", "20072222": "秘匿"}
        await world.register(
            conditions=conditions, flags={"20071111": "UNINFORMED", "20072222": "UNDELIVERED"}
        )
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()

        record = await world.record()
        own = (await world.data(herself(record_id(record)), ME))["me"]

        shown = {node["name"]: node["flags"] for node in record["entries"]["nodes"]}
        assert shown == {"上腹部痛": [], "膵癌": ["UNINFORMED"]}
        assert record["entries"]["totalCount"] == 2
        assert own["record"]["entries"] == {"totalCount": 1, "nodes": [{"name": "上腹部痛"}]}
        assert own["summary"]["conditions"] == [{"name": "上腹部痛"}]

    tell(story)


def test_a_mark_set_later_hides_the_same_fact_at_every_earlier_moment(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register(local_id="set-1", conditions={"20071111": "膵癌"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        early = await world.record()

        await world.register(
            local_id="set-2", conditions={"20071111": "膵癌"}, flags={"20071111": "UNINFORMED"}
        )
        world.project()
        patient = herself(record_id(early))
        then = f'{{ position: "{early["asOf"]["position"]}" }}'
        asked = f"""{{ patientRecord(patient: {KEY}, purpose: PATRQT, asOf: {then}) {{
            ... on PatientRecord {{ entries {{ totalCount }} }} }} }}"""
        own = (await world.data(patient, ME))["me"]

        assert (await world.data(patient, asked))["patientRecord"]["entries"]["totalCount"] == 0
        assert own["record"]["entries"]["totalCount"] == 0
        assert own["summary"]["conditions"] == []
        flags = [node["flags"] for node in (await world.record())["entries"]["nodes"]]
        assert flags == [["UNINFORMED"]]

    tell(story)


def test_replaced_rows_are_seen_as_of_then_and_cancelled_ones_never_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register(conditions={"20065011": "上腹部痛"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        first = await world.record()
        await world.register(conditions={"20058911": "狭心症"})
        world.project()

        then = ENTRIES.replace(KEY, f'{KEY}, asOf: {{ position: "{first["asOf"]["position"]}" }}')
        assert names(await world.record()) == ["狭心症"]
        assert names((await world.data(DOCTOR, then))["patientRecord"]) == ["上腹部痛"]

        await world.data(CLINIC_SYSTEM, CANCEL)
        world.project()

        assert names(await world.record()) == []
        assert names((await world.data(DOCTOR, then))["patientRecord"]) == []

    tell(story)


def test_what_was_cancelled_is_left_out_before_the_index_knows_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.register(local_id="set-2", conditions={"20058911": "狭心症"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        await world.data(CLINIC_SYSTEM, CANCEL)

        record = await world.record()

        assert (names(record), record["incomplete"]) == (["狭心症"], True)
        world.project()
        assert (await world.record())["incomplete"] is False

    tell(story)


def test_pages_follow_each_other_without_gap_or_repeat(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register(conditions={f"200650{n:02}": f"病名{n:02}" for n in range(25)})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        page = f"""query($after: String) {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
            entries(first: 7, after: $after) {{
                totalCount nodes {{ name }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""

        found: list[str] = []
        after = None
        for _ in range(4):
            entries = (await world.data(DOCTOR, page, after=after))["patientRecord"]["entries"]
            found += [node["name"] for node in entries["nodes"]]
            after = entries["pageInfo"]["endCursor"]
            assert entries["totalCount"] == 25

        assert not entries["pageInfo"]["hasNextPage"]
        assert sorted(found) == [f"病名{n:02}" for n in range(25)]

    tell(story)


def test_a_cursor_of_another_list_or_patient_is_refused(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        found = await world.data(
            DOCTOR,
            f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
                entries {{ pageInfo {{ endCursor }} }} }} }} }}""",
        )
        cursor = found["patientRecord"]["entries"]["pageInfo"]["endCursor"]

        answer = await world.ask(
            DOCTOR,
            f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
                documents(after: "{cursor}") {{ totalCount }} }} }} }}""",
        )

        assert answer["errors"][0]["extensions"]["code"] == "BAD_CURSOR"

    tell(story)


def test_the_auditor_finds_each_read_with_its_basis_and_the_look_itself(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.record()
        granted = (await world.data(HOSPITAL_SYSTEM, CONSENT))["grantConsent"]
        world.project()
        seen = await world.record()
        world.project()
        trail = """query($patient: ID!) { accessTrail(filter: { patient: $patient }) {
            accessId totalCount completeUntil
            nodes { id outcome person reason bases because classesPermitted entriesShown operationName } } }"""

        first = (await world.data(AUDITOR, trail, patient=seen["patient"]["id"]))["accessTrail"]
        world.project()
        second = (await world.data(AUDITOR, trail, patient=seen["patient"]["id"]))["accessTrail"]

        permitted, refused = first["nodes"]
        assert (permitted["id"], permitted["bases"], permitted["because"]) == (
            seen["accessId"],
            ["CONSENT"],
            [granted],
        )
        assert (permitted["person"], permitted["entriesShown"], permitted["operationName"]) == (
            "dr-hamada",
            1,
            "Entries",
        )
        assert (refused["outcome"], refused["reason"]) == ("REFUSED", "NOT_AVAILABLE")
        assert second["nodes"][0]["id"] == first["accessId"]
        assert second["nodes"][0]["outcome"] == "TRAIL_READ"

    tell(story)


def test_an_answer_whose_access_cannot_be_recorded_is_withheld(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        world.connection.execute("ALTER FUNCTION append_events RENAME TO append_events_away")

        answer = await world.ask(DOCTOR, ENTRIES)

        assert answer["data"] is None
        assert answer["errors"][0]["extensions"]["code"] == "LOG_UNAVAILABLE"
        assert "上腹部痛" not in str(answer)

    tell(story)


def test_a_withdrawal_between_the_rows_and_the_append_means_decide_again(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        settle = world.application.settle
        raced: list[Any] = []

        async def settle_after_withdrawal(*given: Any) -> None:
            if not raced:
                raced.append(await world.data(HOSPITAL_SYSTEM, WITHDRAW))
            await settle(*given)

        monkeypatch.setattr(world.application, "settle", settle_after_withdrawal)  # to place the race

        record = await world.record()

        assert raced
        assert (record["__typename"], record["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
        assert world.events("access-permitted") == 0

    tell(story)


def test_consent_ends_at_its_second(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        services = world.application.services
        granted_at = services.now()

        for hours, typename in ((23.99, "PatientRecord"), (24.01, "AccessRefused")):
            moment = granted_at + timedelta(hours=hours)
            object.__setattr__(services, "now", lambda moment=moment: moment)
            assert (await world.record())["__typename"] == typename

    tell(story)
