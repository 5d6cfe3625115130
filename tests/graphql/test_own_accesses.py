"""`me { accesses }`: each read as facts and in plain words, whatever its basis; and nobody by name or id."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from document_examples import SENDER
from emergency_examples import OPEN_WINDOW, TOWN, declared, entitled, read, soon
from examples import AUDITOR, DOCTOR, HOSPITAL_SYSTEM, NUMBER, OPERATOR, a_caller, herself
from referral_examples import consent, inbox, sent
from tsuzuri.domain.vocabulary import AccessBasis, RecordClass, Role
from world import ENTRIES, KEY, Tell, World, tell_in

HER = {"insuredPerson": NUMBER}
MOTHER = a_caller("mother", Role.PATIENT, patient=UUID(int=77))
OWN_DOCTOR = a_caller("dr-own", Role.CLINICIAN, SENDER.facility)
APPOINT = f"""mutation {{ appointProxy(patient: {KEY}, person: "mother", relation: PARENT,
  until: "2090-01-01T00:00:00Z") }}"""
RECORD = "query($patient: ID) { me(patient: $patient) { record { entries { totalCount } } } }"
TRAIL = "query($patient: ID!) { accessTrail(filter: { patient: $patient }) { totalCount } }"
HERS = """query($patient: ID) { me(patient: $patient) { accesses(first: 50) { nodes {
  bases emergency disaster role classesAsked classesPermitted facility { number name }
  ja: words en: words(language: EN) } } } }"""
SAID = {
    "CONSENT": ("見本救急病院の医師または歯科医師が、本人の同意にもとづいて、", "with the patient's consent"),
    "REFERRAL": ("紹介を受けた医療機関として、", "as a referral was addressed to it"),
    "OWN_FACILITY": (f"医療機関（番号{SENDER.facility}）の", f"at facility {SENDER.facility} looked"),
    "EMERGENCY": ("救急のため、本人の同意によらずに、", "in an emergency, without"),
    "DISASTER": ("災害のため、本人の同意によらずに、", "in a disaster, without"),
    "SELF": ("本人が、自分の記録として、", "the patient looked"),
    "PROXY": ("代理人が、本人に代わって、", "a person who stands for the patient looked"),
    "AUDIT": ("監査担当者が、監査のため、閲覧履歴を調べました。", "an auditor looked at the list"),
}


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def looked_at_on_every_basis(world: World) -> UUID:
    """Her id."""
    patient = (await sent(world, oral=True)).patient
    await entitled(world)
    world.project()
    await inbox(world)
    await consent(world, HOSPITAL_SYSTEM, RecordClass.CONDITION)
    await world.data(DOCTOR, ENTRIES)
    await world.data(OWN_DOCTOR, ENTRIES)
    await declared(world, DOCTOR, HER)
    await read(world, DOCTOR, HER)
    await world.data(OPERATOR, OPEN_WINDOW, towns=[TOWN], until=soon())
    await read(world, DOCTOR, HER, "DISASTER")
    await world.data(herself(patient), APPOINT)
    await world.data(herself(patient), RECORD)
    await world.data(MOTHER, RECORD, patient=str(patient))
    await world.data(AUDITOR, TRAIL, patient=str(patient))
    world.project()
    return patient


def test_every_read_is_told_in_plain_words_and_as_facts(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await looked_at_on_every_basis(world)

        looks = (await world.data(herself(patient), HERS))["me"]["accesses"]["nodes"]

        assert {basis for look in looks for basis in look["bases"]} == {str(basis) for basis in AccessBasis}
        for look in looks:
            for basis in look["bases"]:
                japanese, english = SAID[basis]
                assert japanese in look["ja"] and english in look["en"]
            assert look["emergency"] is ("EMERGENCY" in look["bases"])
            assert look["disaster"] is ("DISASTER" in look["bases"])
        (emergency,) = [look for look in looks if look["emergency"]]
        assert "CONDITION" in emergency["classesAsked"] and "傷病名" in emergency["ja"]
        assert "REFERRAL" not in emergency["classesPermitted"]
        assert "診療情報提供書" not in emergency["ja"].partition("見ることができた種類")[2]

    tell(story)


def test_who_stands_for_her_reads_the_same_and_nobody_is_named(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await looked_at_on_every_basis(world)

        hers = (await world.data(herself(patient), HERS))["me"]["accesses"]
        mothers = (await world.data(MOTHER, HERS, patient=str(patient)))["me"]["accesses"]

        assert [look["ja"] for look in mothers["nodes"]][-8:] == [look["ja"] for look in hers["nodes"]][-8:]
        for person in (DOCTOR, OWN_DOCTOR, AUDITOR, MOTHER):
            assert person.person not in str(hers)
        assert str(patient) not in str(hers) and "意識" not in str(hers)

    tell(story)
