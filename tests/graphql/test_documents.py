"""A document as each of its readers finds it: what may be seen now is on the page, and nothing of the rest."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from document_examples import DOCUMENT, SENDER, conditions, diagnosis, document, html, permit, referral, sent
from examples import AUDITOR, DOCTOR, OPERATOR, herself
from rendering_examples import WORDS, headings
from tsuzuri.app.actions.erase import erase_document
from tsuzuri.domain.vocabulary import RecordClass
from world import KEY, Tell, World, tell_in

TRAIL = """query($patient: ID!) { accessTrail(filter: { patient: $patient }) { nodes {
    operationName classesAsked entriesShown } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def test_a_clinician_reads_the_entries_and_the_senders_words_and_each_entry_counts_as_shown(
    tell: Tell,
) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症"), diagnosis("腰痛")))
        await permit(world)

        page = await html(world, DOCTOR, told)
        world.project()
        trail = await world.data(AUDITOR, TRAIL, patient=str(told.patient))

        assert headings(page) == ["紹介先", "傷病名・主訴", "添付情報"]
        assert "<td>狭心症</td>" in page and "<td>腰痛</td>" in page and WORDS in page
        (read,) = trail["accessTrail"]["nodes"]
        assert (read["operationName"], read["entriesShown"]) == (
            "Document",
            4,
        )  # the document, and its three entries
        assert {"CONDITION", "REFERRAL"} <= set(read["classesAsked"])

    tell(story)


def test_an_untold_diagnosis_is_marked_for_the_clinician_and_nowhere_for_the_patient(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症"), diagnosis("膵癌", "UNINFORMED")))
        await permit(world)

        hers = await html(world, herself(told.patient), told)
        clinicians = await html(world, DOCTOR, told)

        assert (
            "<td>膵癌</td>" in clinicians
            and "未告知（2026年1月2日設定）" in clinicians
            and WORDS in clinicians
        )
        assert "<td>狭心症</td>" in hers
        assert "膵癌" not in hers and "未告知" not in hers and WORDS not in hers

    tell(story)


def test_the_patient_never_reads_the_senders_words_so_that_their_absence_tells_her_nothing(
    tell: Tell,
) -> None:
    async def story(world: World) -> None:
        plain = await sent(world, referral(diagnosis("狭心症")))
        hiding = referral(diagnosis("狭心症"), diagnosis("膵癌", "UNDELIVERED"), local_id="ref-2")
        marked = await sent(world, hiding)
        patient = herself(plain.patient)

        def body(page: str) -> str:
            return page.partition("<footer>")[0]

        assert body(await html(world, patient, plain)) == body(await html(world, patient, marked))

    tell(story)


def test_what_a_clinician_may_not_see_takes_the_senders_words_with_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症"), diagnosis("膵癌", "UNDELIVERED")))
        await permit(world)

        page = await html(world, DOCTOR, told)

        assert "<td>狭心症</td>" in page
        assert "膵癌" not in page and "未提供" not in page and WORDS not in page

    tell(story)


def test_a_mark_that_another_bundle_sets_later_hides_it_from_the_page_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症"), diagnosis("膵癌")))
        await permit(world)
        assert "膵癌" in await html(world, DOCTOR, told) and "膵癌" in await html(
            world, herself(told.patient), told
        )

        await world.application.register_bundle(SENDER, conditions(diagnosis("膵癌", "UNDELIVERED")))
        before_the_index = await html(world, DOCTOR, told)
        world.project()

        assert "膵癌" not in before_the_index and WORDS not in before_the_index
        for page in (await html(world, DOCTOR, told), await html(world, herself(told.patient), told)):
            assert "<td>狭心症</td>" in page and "膵癌" not in page and WORDS not in page

    tell(story)


@pytest.mark.parametrize("holder", ["Bundle", "contained", "passed over", "as text"])
def test_a_mark_on_what_is_no_entry_withholds_the_words(tell: Tell, holder: str) -> None:
    async def story(world: World) -> None:
        mark = diagnosis("x", "UNDELIVERED")["meta"]
        hidden = {
            "resourceType": "Procedure",
            "id": "p1",
            "status": "completed",
            "subject": {"reference": "Patient/p"},
        }
        hidden |= {"meta": mark, "code": {"text": "秘匿手術"}}
        bundle = json.loads(referral(diagnosis("狭心症")))
        if holder == "Bundle":
            bundle["meta"] = mark
        elif holder == "contained":
            bundle["entry"][0]["resource"]["contained"] = [hidden]
        elif holder == "as text":
            bundle["entry"].append({"resource": hidden | {"meta": json.dumps(mark)}})
        else:
            bundle["entry"].append({"resource": hidden})
        told = await sent(world, json.dumps(bundle).encode())
        await permit(world)

        page = await html(world, DOCTOR, told)

        assert "<td>狭心症</td>" in page
        assert "秘匿手術" not in page and WORDS not in page

    tell(story)


def test_a_class_that_the_consent_does_not_list_is_neither_in_the_tables_nor_in_words(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症")))
        await permit(world, RecordClass.REFERRAL)

        page = await html(world, DOCTOR, told)

        assert headings(page) == ["紹介先", "添付情報"]
        assert "狭心症" not in page and WORDS not in page

    tell(story)


def test_as_of_then_the_page_is_that_of_the_version_then(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症")))
        await permit(world)
        asked = f"{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ asOf {{ position }} }} }} }}"
        then = (await world.data(DOCTOR, asked))["patientRecord"]["asOf"]["position"]
        await sent(world, referral(diagnosis("腰痛")))

        past = DOCUMENT.replace(KEY, f'{KEY}, asOf: {{ position: "{then}" }}')
        old = (await world.data(DOCTOR, past, id=str(told.document)))["patientRecord"]["document"]["html"]

        assert "<td>狭心症</td>" in old and "腰痛" not in old
        assert "<td>腰痛</td>" in await html(world, DOCTOR, told)

    tell(story)


def test_of_an_erased_document_no_page_is_left_before_the_index_knows_it_and_after(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症")))
        await permit(world)
        services = world.application.services
        received = world.connection.execute("SELECT received FROM record_index_g1.document").fetchone()
        assert received is not None and await world.application.payload(told.patient, received[0]) is not None

        await erase_document(services, OPERATOR, told.patient, told.document, units=False, reason="asked for")

        assert await document(world, DOCTOR, told) is None
        assert await world.application.payload(told.patient, received[0]) is None
        world.project()
        assert await document(world, DOCTOR, told) is None

    tell(story)
