"""An attached file is read as everything else is: decided, hidden, and recorded before a byte of it leaves."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from psycopg import Connection

from document_examples import FILE, conditions, diagnosis, document, permit, referral, sent, url
from examples import AUDITOR, DOCTOR, HOSPITAL_SYSTEM, OPERATOR, herself
from tsuzuri.app.actions.erase import erase_document
from tsuzuri.domain.attachments import AttachedFile
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.graphql.attachments import read_attachment
from tsuzuri.graphql.context import RequestRefused
from world import WITHDRAW, Tell, World, tell_in

TRAIL = """query($patient: ID!) { accessTrail(filter: { patient: $patient }) { nodes {
    outcome operationName entriesShown } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def fetched(world: World, caller: Caller, found: str) -> AttachedFile | None:
    """What GET answers to a url that an answer gave out."""
    parts = urlsplit(found)
    _, _, document, _, number = parts.path.split("/")
    token = parse_qs(parts.query)["token"][0]
    return await read_attachment(world.application, caller, UUID(document), number, token)


async def registered(world: World, *diagnoses: Any, **attachment: Any) -> RegisteredBundle:
    told = await sent(world, referral(*(diagnoses or (diagnosis("狭心症"),)), **attachment))
    await permit(world)
    return told


def test_a_permitted_file_leaves_as_it_was_received_and_the_access_is_in_the_trail(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        found = await url(world, DOCTOR, told)

        file = await fetched(world, DOCTOR, found)
        world.project()
        trail = (await world.data(AUDITOR, TRAIL, patient=str(told.patient)))["accessTrail"]["nodes"]

        assert file == AttachedFile(FILE, "text/plain; charset=utf-8")
        assert [node["operationName"] for node in trail] == ["DocumentAttachment", "Document"]
        assert (trail[0]["outcome"], trail[0]["entriesShown"]) == ("PERMITTED", 1)

    tell(story)


def test_after_a_withdrawal_the_url_gives_nothing_and_the_refusal_is_recorded(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        found = await url(world, DOCTOR, told)
        await world.data(HOSPITAL_SYSTEM, WITHDRAW)

        assert await fetched(world, DOCTOR, found) is None
        assert world.events("access-refused") == 1

    tell(story)


def test_the_url_of_one_caller_decides_nothing_for_another(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        found = await url(world, DOCTOR, told)

        for other in (AUDITOR, OPERATOR, herself(UUID(int=7)), HOSPITAL_SYSTEM):
            assert await fetched(world, other, found) is None
        assert world.events("access-refused") == 4

    tell(story)


def test_a_changed_url_gives_nothing(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        path, _, token = (await url(world, DOCTOR, told)).partition("?token=")
        before = world.events("access-permitted")
        other = f"/documents/{UUID(int=9)}/attachments/1"
        changed = ("B" if token[5] == "A" else "A").join((token[:5], token[6:]))

        for tampered in (
            f"{path}?token={changed}",
            f"{path}?token=x",
            f"{path}?token=日本",
            f"{path[:-1]}2?token={token}",
            f"{path[:-1]}01?token={token}",
            f"{path[:-1]}x?token={token}",
            f"{other}?token={token}",
        ):
            assert await fetched(world, DOCTOR, tampered) is None
        assert world.events("access-permitted") == before

    tell(story)


@pytest.mark.parametrize("later", [False, True], ids=["in the document", "by another Bundle"])
def test_the_file_of_a_document_with_marks_that_the_reader_may_not_see_is_not_sent(
    tell: Tell, later: bool
) -> None:
    async def story(world: World) -> None:
        told = await registered(world, diagnosis("膵癌", None if later else "UNDELIVERED"))
        found = await url(world, DOCTOR, told)
        assert (await fetched(world, DOCTOR, found) is not None) is later
        if later:
            await sent(world, conditions(diagnosis("膵癌", "UNDELIVERED")))

        assert await fetched(world, DOCTOR, found) is None
        world.project()
        trail = (await world.data(AUDITOR, TRAIL, patient=str(told.patient)))["accessTrail"]["nodes"]
        assert (trail[0]["operationName"], trail[0]["entriesShown"]) == ("DocumentAttachment", 0)

    tell(story)


def test_a_clinician_who_may_see_untold_diagnoses_may_have_the_file(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world, diagnosis("膵癌", "UNINFORMED"))

        assert await fetched(world, DOCTOR, await url(world, DOCTOR, told)) is not None

    tell(story)


def test_a_class_that_the_consent_does_not_list_keeps_the_file_back(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症")))
        await permit(world, RecordClass.REFERRAL)

        assert await fetched(world, DOCTOR, await url(world, DOCTOR, told)) is None

    tell(story)


@pytest.mark.parametrize("flag", [None, "UNINFORMED"])
def test_the_patient_is_given_no_url_and_no_file_whether_something_is_hidden_or_not(
    tell: Tell, flag: str | None
) -> None:
    async def story(world: World) -> None:
        told = await registered(world, diagnosis("膵癌", flag))
        patient = herself(told.patient)

        hers = await document(world, patient, told)

        assert hers is not None and hers["attachments"] == [{"title": "血圧手帳", "url": None}]
        assert await fetched(world, patient, await url(world, DOCTOR, told)) is None

    tell(story)


def test_what_was_erased_replaced_cancelled_or_lies_elsewhere_gives_nothing(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        first = await url(world, DOCTOR, told)
        await sent(world, referral(diagnosis("狭心症"), data=None))
        elsewhere = await url(world, DOCTOR, told)
        await sent(world, referral(diagnosis("狭心症"), data=b"another"))
        third = await url(world, DOCTOR, told)

        assert await fetched(world, DOCTOR, first) is None
        assert await fetched(world, DOCTOR, elsewhere) is None
        assert (await fetched(world, DOCTOR, third) or AttachedFile(b"", "")).body == b"another"
        services = world.application.services
        await erase_document(services, OPERATOR, told.patient, told.document, units=True, reason="asked for")
        assert await fetched(world, DOCTOR, third) is None

    tell(story)


def test_a_file_that_is_none_of_the_listed_types_leaves_as_bytes_alone(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world, contentType="text/html", data=b"<script>1</script>")

        file = await fetched(world, DOCTOR, await url(world, DOCTOR, told))

        assert file == AttachedFile(b"<script>1</script>", "application/octet-stream")

    tell(story)


def test_a_file_whose_access_cannot_be_recorded_is_withheld(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        found = await url(world, DOCTOR, told)
        world.connection.execute("ALTER FUNCTION append_events RENAME TO append_events_away")

        with pytest.raises(RequestRefused) as refused:
            await fetched(world, DOCTOR, found)

        assert refused.value.code == "LOG_UNAVAILABLE"

    tell(story)


def test_a_withdrawal_between_the_bytes_and_the_append_means_decide_again(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        found = await url(world, DOCTOR, told)
        before = world.events("access-permitted")
        settle = world.application.settle
        raced: list[Any] = []

        async def settle_after_withdrawal(*given: Any) -> None:
            if not raced:
                raced.append(None)
                raced.append(await world.data(HOSPITAL_SYSTEM, WITHDRAW))
            await settle(*given)

        monkeypatch.setattr(world.application, "settle", settle_after_withdrawal)  # to place the race

        assert await fetched(world, DOCTOR, found) is None
        assert raced and world.events("access-permitted") == before

    tell(story)
