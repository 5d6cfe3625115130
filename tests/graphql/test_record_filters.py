"""Filters choose among what may be seen: by group, by part of a name, by marks, by what brought it."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from code_examples import CORE, HBA1C_HPLC, HBA1C_LATEX, JLAC10_OID, LOCAL, results_bundle
from examples import CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, herself
from fhir_examples import FACILITY
from referral_examples import sent
from tsuzuri.domain.callers import Caller
from world import CONSENT, KEY, Tell, World, record_id, tell_in

ENTRIES = f"""query($filter: EntryFilter) {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
    patient {{ id }} entries(filter: $filter) {{ totalCount nodes {{ name }} }} }} }} }}"""
HER_ENTRIES = """query($filter: EntryFilter) { me { record {
    entries(filter: $filter) { totalCount nodes { name } } } } }"""
HER_DOCUMENTS = """query($filter: DocumentFilter) { me { record {
    documents(filter: $filter) { totalCount nodes { id } } } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def found(world: World, caller: Caller = DOCTOR, **filter: Any) -> list[str]:
    """Names, which the count agrees with."""
    asked = ENTRIES if caller is DOCTOR else HER_ENTRIES
    (answer,) = (await world.data(caller, asked, filter=filter)).values()
    entries = answer.get("record", answer)["entries"]
    assert entries["totalCount"] == len(entries["nodes"])
    return sorted(node["name"] for node in entries["nodes"])


def test_results_are_found_by_their_group_and_entries_by_what_brought_them(tell: Tell) -> None:
    async def story(world: World) -> None:
        codes = {"HbA1c": [(CORE, HBA1C_LATEX)], "カリウム": [(CORE, "3H015000002326101")]}
        for facility, system, results in (
            (CLINIC, CLINIC_SYSTEM, codes),
            (HOSPITAL, HOSPITAL_SYSTEM, {"ヘモグロビンA1c": [(JLAC10_OID, HBA1C_HPLC), (LOCAL, "A77")]}),
        ):
            body = results_bundle(
                facility, results, number=NUMBER, local_id="labs", measured="2026-11-01T09:00:00+09:00"
            )
            await world.application.register_bundle(system, body)
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT.replace("CONDITION", "CONDITION, LAB_RESULT"))
        world.project()

        assert await found(world, groups=["HBA1C"]) == ["HbA1c", "ヘモグロビンA1c"]
        assert await found(world, groups=[HBA1C_HPLC]) == ["HbA1c", "ヘモグロビンA1c"]
        assert await found(world, groups=["HBA1C"], facilities=[HOSPITAL]) == ["ヘモグロビンA1c"]
        assert await found(world, groups=["no such group"]) == await found(world, groups=[]) == []
        assert await found(world, documentKinds=["CONDITIONS"]) == ["上腹部痛"]
        assert await found(world, documentKinds=["CONDITIONS"], groups=["HBA1C"]) == []

    tell(story)


def test_a_name_is_found_by_any_part_however_it_is_written(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register(conditions={"1": "２型糖尿病", "2": "Basedow病", "3": "100%_heart"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()

        assert await found(world, text="2型") == await found(world, text="糖尿") == ["２型糖尿病"]
        assert await found(world, text="ｂａｓｅ") == ["Basedow病"]
        assert await found(world, text="%_") == ["100%_heart"], "no letter stands for another"
        assert await found(world, text="癌 OR 1=1") == []
        for text in ("病", " 病 ", ""):
            (error,) = (await world.ask(DOCTOR, ENTRIES, filter={"text": text}))["errors"]
            assert error["extensions"]["code"] == "BAD_INPUT"

    tell(story)


def test_marks_choose_only_among_what_may_be_seen(tell: Tell) -> None:
    async def story(world: World) -> None:
        conditions = {"1": "上腹部痛", "2": "膵癌", "3": "秘匿"}
        await world.register(conditions=conditions, flags={"2": "UNINFORMED", "3": "UNDELIVERED"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        patient = herself(record_id((await world.data(DOCTOR, ENTRIES))["patientRecord"]))

        assert await found(world, flags={"anyOf": ["UNINFORMED", "UNDELIVERED"]}) == ["膵癌"]
        assert await found(world, flags={"noneOf": ["UNINFORMED"]}) == ["上腹部痛"]
        assert await found(world, flags={"anyOf": ["UNINFORMED"], "noneOf": ["UNINFORMED"]}) == []
        assert await found(world, flags={}) == ["上腹部痛", "膵癌"]
        assert await found(world, patient, flags={"anyOf": ["UNINFORMED", "UNDELIVERED"]}) == []
        assert await found(world, patient, flags={"anyOf": []}) == []
        assert await found(world, patient, flags={"noneOf": ["LTS"]}) == ["上腹部痛"]
        assert await found(world, patient, text="膵癌") == []

    tell(story)


def test_documents_are_found_by_class_facility_and_title(tell: Tell) -> None:
    async def story(world: World) -> None:
        letter = await sent(world)
        her = herself(letter.patient)

        async def documents(**filter: Any) -> list[str]:
            (answer,) = (await world.data(her, HER_DOCUMENTS, filter=filter)).values()
            return [node["id"] for node in answer["record"]["documents"]["nodes"]]

        there = [str(letter.document)]
        assert await documents(classes=["REFERRAL"], facilities=[FACILITY], text="見本") == there
        assert await documents(classes=["DISCHARGE_SUMMARY"]) == await documents(facilities=[HOSPITAL]) == []
        assert await documents(text="退院") == await documents(classes=[]) == []

    tell(story)
