"""訂正等請求・利用停止等請求: she asks, the facility answers, and nobody else learns of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from correction_examples import (
    ADMIN,
    ANSWER,
    INBOX,
    OTHER_ADMIN,
    OVERDUE,
    REQUEST,
    TAKE_BACK,
    WORDS,
    ask,
    begun,
    inbox,
    mine,
    named,
    refused,
)
from document_examples import SENDER, diagnosis, referral
from examples import (
    CLINIC,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    OPERATOR,
    STRANGER,
    a_bundle,
    a_caller,
    herself,
)
from tsuzuri.domain.vocabulary import Role
from world import Tell, World, tell_in

MOTHER = a_caller(person="mother", role=Role.PATIENT, patient=UUID(int=77))
HIDDEN: dict[str, Any] = {
    "conditions": {"20065011": "上腹部痛", "20058911": "うつ病"},
    "flags": {"20058911": "UNINFORMED"},
}
ENTRIES = "{ me { record { entries { nodes { id documentId name } } } } }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def first_entry(world: World, patient: UUID) -> dict[str, Any]:
    entries = (await world.data(herself(patient), ENTRIES))["me"]["record"]["entries"]["nodes"]
    found: dict[str, Any] = entries[0]
    return found


def test_she_asks_about_an_entry_and_reads_what_its_facility_answers(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        entry = await first_entry(world, patient)

        request = await ask(world, patient, entry=entry["id"])

        (waiting,) = await inbox(world)
        assert waiting == {
            "id": request,
            "kind": "CORRECTION",
            "documentId": entry["documentId"],
            "entryId": entry["id"],
            "words": WORDS,
            "state": "WAITING",
            "waitedDays": 0,
            "overdue": False,
            "patient": {"id": str(patient), "name": "試験 花子"},
            "answer": None,
        }
        assert await inbox(world, state="ANSWERED") == []
        said = {
            "patient": named(patient),
            "request": request,
            "outcome": "PARTLY",
            "words": "日付のみ訂正します",
        }
        await world.data(ADMIN, ANSWER, **said)
        world.project()
        (answered,) = await mine(world, patient)
        assert answered["facility"] == {"number": CLINIC}
        assert (answered["state"], answered["words"]) == ("ANSWERED", WORDS)
        assert answered["answer"] == {"outcome": "PARTLY", "words": "日付のみ訂正します"}
        assert "一部に応じる" in answered["told"]
        assert await refused(world, ADMIN, ANSWER, **said) == (
            "NOTHING_TO_ANSWER",
            "your facility has answered this request already",
        )
        assert (await first_entry(world, patient)) == entry, "an answer changes nothing of the record"

    tell(story)


def test_a_document_is_asked_about_by_its_id_a_collection_by_what_she_sees_of_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        letter = await world.application.register_bundle(SENDER, referral(diagnosis("狭心症")))
        patient = letter.patient
        collected = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle())
        world.project()

        await ask(world, patient, document=str(letter.document))
        await ask(world, collected.patient, document=str(collected.document))

        found = [*await mine(world, patient), *await mine(world, collected.patient)]
        asked = {(one["facility"]["number"], one["documentId"], one["entryId"]) for one in found}
        assert asked == {
            (SENDER.facility, str(letter.document), None),
            (CLINIC, str(collected.document), None),
        }

    tell(story)


def test_what_she_may_not_see_is_refused_as_what_there_is_not(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world, **HIDDEN)
        untold: dict[str, Any] = {"conditions": {"2": "躁病"}, "flags": {"2": "UNDELIVERED"}}
        secret = a_bundle(facility=HOSPITAL, **untold)  # a collection of which she sees nothing at all
        held = await world.application.register_bundle(HOSPITAL_SYSTEM, secret)
        assert held.patient == patient
        of_another = await begun(world, number="00099999:え:7:01", conditions={"1": "高血圧症"})
        strange = await first_entry(world, of_another)
        shown, hidden = in_the_index(world, patient, marked=False), in_the_index(world, patient, marked=True)
        assert (len(shown), len(hidden)) == (1, 2)

        answers = {
            await refused(world, herself(patient), REQUEST, patient=named(patient), about=one, words=WORDS)
            for one in (
                *({"entry": entry} for entry in hidden),
                {"document": str(held.document)},
                {"entry": strange["id"]},
                {"document": strange["documentId"]},
                {"entry": str(uuid4())},
                {"document": str(uuid4())},
            )
        }

        assert answers == {
            ("NOT_AVAILABLE", "there is no entry or document of that id in what you see of your record")
        }
        assert world.events("correction-requested") == 0
        assert await ask(world, patient, entry=shown[0]), "what she sees she may ask about"

    tell(story)


def in_the_index(world: World, patient: UUID, *, marked: bool) -> list[str]:
    found = world.connection.execute(
        "SELECT entry FROM record_index_g1.entry WHERE patient_id = %s AND (flags_now <> '{}') = %s",
        (patient, marked),
    ).fetchall()
    return [str(entry) for (entry,) in found]


def test_nobody_but_she_asks_and_nobody_but_that_facility_answers(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        request = await ask(world, patient)
        asked = {"patient": named(patient), "about": {"facility": CLINIC}, "words": WORDS}
        answer = {"patient": named(patient), "request": request}

        for caller in (herself(STRANGER), DOCTOR, ADMIN):
            assert (await refused(world, caller, REQUEST, **asked))[0] == "FORBIDDEN"
            assert (await refused(world, caller, TAKE_BACK, **answer))[0] == "FORBIDDEN"
        for caller in (herself(patient), DOCTOR, CLINIC_SYSTEM, OPERATOR):
            assert (await refused(world, caller, ANSWER, **answer))[0] == "FORBIDDEN"
            assert (await refused(world, caller, INBOX))[0] == "FORBIDDEN"
        assert (await refused(world, ADMIN, OVERDUE))[0] == "FORBIDDEN"
        elsewhere = await refused(world, OTHER_ADMIN, ANSWER, **answer)
        unknown = await refused(world, OTHER_ADMIN, ANSWER, **answer | {"patient": named(STRANGER)})
        nothing = await refused(world, OTHER_ADMIN, ANSWER, **answer | {"request": str(uuid4())})
        assert elsewhere == unknown == nothing and elsewhere[0] == "NOTHING_TO_ANSWER"
        assert await inbox(world, OTHER_ADMIN) == []
        await world.application.register_bundle(
            CLINIC_SYSTEM, a_bundle(number="00099999:え:7:01", name="別 人")
        )
        stranger = await begun(world, number="00099999:え:7:01")
        assert await mine(world, stranger) == []
        assert world.events("correction-answered") == 0

    tell(story)


def test_who_stands_for_her_reads_what_she_asked_and_asks_nothing(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        request = await ask(world, patient)
        appoint = """mutation($patient: PatientKey!) { appointProxy(patient: $patient, person: "mother",
            relation: PARENT, until: "2090-01-01T00:00:00Z") }"""
        await world.data(OPERATOR, appoint, patient=named(patient))
        hers = "query($patient: ID!) { me(patient: $patient) { correctionRequests { nodes { id words } } } }"

        seen = (await world.data(MOTHER, hers, patient=str(patient)))["me"]["correctionRequests"]["nodes"]

        assert seen == [{"id": request, "words": WORDS}]
        asked = {"patient": named(patient), "about": {"facility": CLINIC}, "words": WORDS}
        assert (await refused(world, MOTHER, REQUEST, **asked))[0] == "FORBIDDEN"

    tell(story)


def test_what_she_takes_back_is_not_answered_and_read_no_more(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        request = await ask(world, patient)
        other = await ask(world, patient, "他にもあります")
        said = {"patient": named(patient), "request": request}

        await world.data(herself(patient), TAKE_BACK, **said)

        assert await inbox(world) == [], "before the projection knows it"
        world.project()
        found = {one["id"]: (one["state"], one["words"]) for one in await inbox(world)}
        assert found == {request: ("TAKEN_BACK", None), other: ("WAITING", "他にもあります")}
        assert (await refused(world, ADMIN, ANSWER, **said))[0] == "NOTHING_TO_ANSWER"
        assert (await refused(world, herself(patient), TAKE_BACK, **said))[0] == "NOTHING_TO_TAKE_BACK"
        assert [(one["id"], one["words"]) for one in await mine(world, patient)] == [
            (other, "他にもあります"),
            (request, WORDS),
        ]

    tell(story)


def test_what_is_hidden_from_her_while_she_asks_is_refused(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        entry = await first_entry(world, patient)
        log = world.application.services.log
        fold_many = log.fold_many
        folded: list[int] = []

        async def fold_after_it_was_marked(*given: Any) -> Any:
            folded.append(len(folded))
            if folded == [0]:  # she has been found to see it, and nothing is stored yet
                marked = a_bundle(timestamp="2026-11-21T10:00:00+09:00", flags={"20065011": "UNINFORMED"})
                await world.application.register_bundle(CLINIC_SYSTEM, marked)
            return await fold_many(*given)

        monkeypatch.setattr(log, "fold_many", fold_after_it_was_marked)  # to place the race
        asked = {"patient": named(patient), "about": {"entry": entry["id"]}, "words": WORDS}

        assert (await refused(world, herself(patient), REQUEST, **asked))[0] == "NOT_AVAILABLE"
        assert world.events("correction-requested") == 0

    tell(story)
