"""What somebody with a valid token tried: each of these once worked, or nearly."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_bundle, a_caller
from projection_examples import an_engine
from tsuzuri.app.sample.generate import sample_bundles, sample_patients
from tsuzuri.domain.vocabulary import RecordClass, Role
from tsuzuri.eventlog.connecting import connect
from tsuzuri.graphql import execution
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.rebuilding import rebuild
from world import CANCEL, CONSENT, ENTRIES, KEY, WITHDRAW, Tell, World, names, own_consent, record_id, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def changed(bundle: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    body = orjson.loads(bundle)
    change(body)
    return orjson.dumps(body)


def local_only(facility: str, number: str = "P-1") -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        system = f"urn:oid:1.2.392.100495.20.3.51.1{facility}"
        body["entry"][0]["resource"]["identifier"] = [{"system": system, "value": number}]

    return change


def test_a_facility_does_not_reach_a_patient_through_another_facility_s_number(tell: Tell) -> None:
    async def story(world: World) -> None:
        theirs = changed(a_bundle(facility=HOSPITAL), local_only(HOSPITAL))
        victim = await world.application.register_bundle(HOSPITAL_SYSTEM, theirs)

        def forge(body: dict[str, Any]) -> None:
            local_only(HOSPITAL)(body)
            insured = {
                "system": "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID",
                "value": NUMBER,
            }
            body["entry"][0]["resource"]["identifier"].append(insured)

        forged = await world.application.register_bundle(CLINIC_SYSTEM, changed(a_bundle(), forge))
        bare = await world.application.register_bundle(
            CLINIC_SYSTEM, changed(a_bundle(local_id="set-2"), local_only(HOSPITAL))
        )

        assert victim.patient not in (forged.patient, bare.patient)

    tell(story)


def test_a_facility_hides_only_its_own_facts(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.application.register_bundle(HOSPITAL_SYSTEM, a_bundle(facility=HOSPITAL))
        await world.data(HOSPITAL_SYSTEM, CONSENT)

        def claim_the_hospital(body: dict[str, Any]) -> None:
            body["entry"][1]["resource"]["extension"][0]["valueIdentifier"]["value"] = HOSPITAL

        # The second entry is the clinic's own, so that the Bundle is; the first says that it is the hospital's.
        forged = a_bundle(
            conditions={"20065011": "上腹部痛", "2": "別"},
            flags={"20065011": "UNDELIVERED", "2": "UNDELIVERED"},
        )
        try:
            await world.application.register_bundle(CLINIC_SYSTEM, changed(forged, claim_the_hospital))
        except RequestRefused:
            pass  # to refuse it altogether is as good
        world.project()

        assert names(await world.record()) == ["上腹部痛"]

    tell(story)


def test_an_old_allergy_is_not_pushed_out_by_newer_results(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.application.register_bundle(
            HOSPITAL_SYSTEM, a_bundle(facility=HOSPITAL, conditions={"20058911": "狭心症"})
        )
        many = {f"3{n:07}": f"病名{n}" for n in range(700)}
        await world.register(conditions=many)
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()

        record = await world.record()

        assert len(record["summary"]["conditions"]) == 701

    tell(story)


def test_a_system_grants_no_more_than_its_card_reader_may(tell: Tell) -> None:
    async def story(world: World) -> None:
        long = CONSENT.replace("classes:", 'until: "2090-01-01T00:00:00+09:00", classes:')

        answer = await world.ask(HOSPITAL_SYSTEM, long)

        assert answer["errors"][0]["extensions"]["code"] == "USELESS_CONSENT"

    tell(story)


def test_a_consent_of_the_patient_outlives_one_at_the_card_reader(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        patient = record_id(await world.record())
        herself = a_caller(person="p", role=Role.PATIENT, patient=patient)
        await world.data(herself, own_consent(patient))
        await world.data(HOSPITAL_SYSTEM, CONSENT)

        head = await world.application.services.log.head(patient)

        assert head.consents is not None
        assert [grant["given"] for grant in orjson.loads(head.consents)["grants"]] == [
            "patient",
            "card-reader",
        ]

    tell(story)


@pytest.mark.parametrize("flags", [None, {"20058911": "UNINFORMED"}])
def test_waiting_for_the_index_does_not_tell_whether_something_is_hidden(
    tell: Tell, flags: dict[str, str] | None
) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        patient = record_id(await world.record())
        await world.register(local_id="set-2", conditions={"20058911": "狭心症"}, flags=flags)
        herself = a_caller(person="p", role=Role.PATIENT, patient=patient)

        own = await world.data(herself, "{ me { record { incomplete entries { nodes { name } } } } }")

        assert own["me"]["record"] == {"incomplete": True, "entries": {"nodes": []}}

    tell(story)


def test_a_mark_that_the_index_does_not_know_yet_hides_at_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        patient = record_id(await world.record())
        await world.register(local_id="set-2", flags={"20065011": "UNINFORMED"})
        herself = a_caller(person="p", role=Role.PATIENT, patient=patient)

        own = await world.data(
            herself, "{ me { record { entries { totalCount } } summary { conditions { name } } } }"
        )

        assert own["me"] == {"record": {"entries": {"totalCount": 0}}, "summary": {"conditions": []}}

    tell(story)


def test_a_bad_position_is_recorded_and_told_only_to_who_may_read(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        asked = ENTRIES.replace(f"patient: {KEY}", f'patient: {KEY}, minPosition: "x"')

        before = await world.ask(DOCTOR, asked)
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        after = await world.ask(DOCTOR, asked)

        assert before["data"]["patientRecord"]["reason"] == "NOT_AVAILABLE"
        assert after["errors"][0]["extensions"]["code"] == "BAD_POSITION"
        assert (world.events("access-refused"), world.events("access-permitted")) == (1, 1)

    tell(story)


def test_nobody_changes_anything_by_name_and_birth_date(tell: Tell) -> None:
    async def story(world: World) -> None:
        key = '{ demographics: { kana: "シケン", birthDate: "1970-01-02", sex: "female", insurerNumber: "00012345" } }'

        granted = await world.ask(HOSPITAL_SYSTEM, CONSENT.replace(KEY, key))
        read = await world.data(DOCTOR, ENTRIES.replace(KEY, key))

        assert granted["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert read["patientRecord"]["reason"] == "NOT_AVAILABLE"

    tell(story)


def test_lists_within_lists_do_not_multiply_without_end(tell: Tell) -> None:
    async def story(world: World) -> None:
        number = sample_patients(1, 7)[0].insured_person
        for bundle in sample_bundles(1, 7):
            if "checkup" in bundle.name or "discharge" in bundle.name:
                sender = a_caller(person="emr", role=Role.SYSTEM, facility=bundle.facility)
                await world.application.register_bundle(sender, bundle.body)
        every = ", ".join(RecordClass)
        await world.data(HOSPITAL_SYSTEM, CONSENT.replace(NUMBER, number).replace("CONDITION", every))
        world.project()
        shallow = "nodes { document { entries(first: 20) { totalCount } } }"
        deep = shallow.replace("totalCount", f"totalCount {shallow.replace('totalCount', 'nodes { name }')}")
        asked = f"""{{ patientRecord(patient: {{ insuredPerson: "{number}" }}) {{ ... on PatientRecord {{
            entries(first: 200) {{ FIELDS }} }} }} }}"""

        within = await world.ask(DOCTOR, asked.replace("FIELDS", shallow))
        too_much = await world.ask(DOCTOR, asked.replace("FIELDS", deep))

        assert "errors" not in within
        assert {error["extensions"]["code"] for error in too_much["errors"]} == {"TOO_COSTLY"}

    tell(story)


def test_what_is_cancelled_while_a_rebuild_is_promoted_is_not_shown(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.register(local_id="set-2", conditions={"20058911": "狭心症"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        index = PROJECTIONS["record_index"]
        await world.data(CLINIC_SYSTEM, CANCEL)
        world.project()
        fetch = world.application.fetch
        promoted: list[Any] = []

        async def promote_then_fetch(*given: Any) -> Any:
            if not promoted:
                promoted.append(rebuild(world.connection, an_engine(), index))
            return await fetch(*given)

        monkeypatch.setattr(world.application, "fetch", promote_then_fetch)  # to place the race

        record = await world.record()

        assert promoted and live_generation(world.connection, index.name) == promoted[0].generation
        assert (names(record), record["incomplete"]) == (["狭心症"], False)

    tell(story)


def test_a_class_that_is_too_large_does_not_take_the_others_with_it(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        await world.register(conditions={f"2006501{n}": f"病名{n}" for n in range(5)})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        roomy = execution.new_context

        def narrow(*given: Any) -> Context:
            context = roomy(*given)
            context.rows_left = 4
            return context

        monkeypatch.setattr(execution, "new_context", narrow)
        asked = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
            summary {{ conditions {{ name }} drugAllergies {{ name }} }} }} }} }}"""

        answer = await world.ask(DOCTOR, asked)

        assert answer["data"]["patientRecord"]["summary"] == {"conditions": None, "drugAllergies": []}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["TOO_COSTLY"]

    tell(story)


def test_a_system_does_not_withdraw_what_the_patient_granted_herself(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        patient = record_id(await world.record())
        herself = a_caller(person="p", role=Role.PATIENT, patient=patient)
        await world.data(herself, own_consent(patient))

        await world.data(HOSPITAL_SYSTEM, WITHDRAW)

        assert names(await world.record()) == ["上腹部痛"]
        await world.data(herself, WITHDRAW.replace(KEY, f'{{ id: "{patient}" }}'))
        assert (await world.record())["__typename"] == "AccessRefused"

    tell(story)


def test_dates_at_the_end_of_the_calendar_harm_nobody_in_any_time_zone(tell: Tell) -> None:
    async def story(world: World) -> None:
        row = world.connection.execute("SELECT current_database()").fetchone()
        assert row is not None
        world.connection.execute(f"ALTER DATABASE {row[0]} SET timezone = 'Asia/Tokyo'".encode())

        def at_the_end(body: dict[str, Any]) -> None:
            body["entry"][1]["resource"]["meta"]["lastUpdated"] = "9999-12-31T23:59:59Z"
            body["entry"][1]["resource"]["onsetDateTime"] = "9999-12-31"

        await world.application.register_bundle(CLINIC_SYSTEM, changed(a_bundle(), at_the_end))
        await world.application.register_bundle(
            HOSPITAL_SYSTEM, a_bundle(facility=HOSPITAL, conditions={"20058911": "狭心症"})
        )
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        with connect(world.connection.info.dsn + f" password={world.connection.info.password}") as fresh:
            World(world.application, fresh).project()

        assert sorted(names(await world.record())) == ["上腹部痛", "狭心症"]

    tell(story)
