"""An access is run again as it was, whatever has become of the record since."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from document_examples import SENDER, diagnosis, permit, referral, sent, url
from examples import (
    AUDITOR,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL_SYSTEM,
    NUMBER,
    OPERATOR,
    STRANGER,
    a_bundle,
    a_caller,
    herself,
)
from explained_examples import LINK, LIST, begun
from log_examples import opened_events
from referral_examples import INBOX
from replay_examples import accesses, replayed, verdicts
from tsuzuri.app.actions import settle_readings
from tsuzuri.app.actions.erase import erase_document, erase_stream
from tsuzuri.domain.events import AccessPermitted, DocumentKept
from tsuzuri.domain.vocabulary import RecordClass, Role, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.graphql.attachments import read_attachment
from tsuzuri.projections.generations import live_generation
from world import CANCEL, CONSENT, KEY, ME, WITHDRAW, Tell, World, tell_in

LATER = {"timestamp": "2026-11-21T10:00:00+09:00"}
MARKED = {"conditions": {"20065011": "上腹部痛"}, "flags": {"20065011": "UNDELIVERED"}, **LATER}
NAMES = """query Names($patient: PatientKey!) { patientRecord(patient: $patient) { ... on PatientRecord { accessId
  patient { name } entries { nodes { name facility { name } } } } } }"""
SEVERAL = """query($patients: [PatientKey!]!) { patientRecords(patients: $patients) { ... on PatientRecord { accessId
  patient { name } entries { nodes { name } } } } }"""
OTHER = "00099999:え:7:01"
WATCH = f"subscription {{ recordChanged(patient: {KEY}) {{ ... on RecordChanged {{ accessId }} }} }}"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def registered(world: World, number: str, local: str, conditions: dict[str, str], **more: Any) -> UUID:
    body = a_bundle(number=number, local_id=local, conditions=conditions, **more)
    told = await world.application.register_bundle(
        CLINIC_SYSTEM, body.replace(b'"P-1"', b'"%s"' % local.encode())
    )
    world.project()
    return told.patient


def events(world: World) -> list[Any]:
    return [event_mapper().to_domain_event(one) for one in opened_events(world.connection)]


async def named(world: World) -> str:
    """A read by number in a variable: the document names nobody."""
    record = (await world.data(DOCTOR, NAMES, patient={"insuredPerson": NUMBER}))["patientRecord"]
    access: str = record["accessId"]
    return access


def tamper(world: World, table: str, change: str) -> None:
    schema = f"record_index_g{live_generation(world.connection, 'record_index')}"
    world.connection.execute(SQL("UPDATE {} SET " + change).format(Identifier(schema, table)))


def test_what_replaces_marks_cancels_or_withdraws_later_changes_no_replay(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await world.record()
        await world.data(herself(patient), ME)
        for changes in ({"conditions": {"1": "高血圧症"}, **LATER}, MARKED):
            await world.register(**changes)
            world.project()
            await world.record()
        await world.data(CLINIC_SYSTEM, CANCEL)
        world.project()
        await world.record()
        await world.data(herself(patient), WITHDRAW)

        assert await verdicts(world) == ["SAME_ANSWER"] * 5

    tell(story)


def test_what_was_left_out_because_the_index_lacked_it_is_left_out_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await world.register(**MARKED)
        record = await world.record()
        assert record["incomplete"] is True

        found = await replayed(world, record["accessId"])

        assert (found["verdict"], found["entryIds"]) == ("SAME_ANSWER", [])

    tell(story)


def test_two_numbers_of_one_person_are_read_again_where_each_stood(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        other = await registered(world, OTHER, "P-2", {"20058911": "狭心症"})
        await world.data(OPERATOR, LINK, a=str(patient), b=str(other))
        world.project()
        await world.record()
        await registered(world, OTHER, "P-2", {"8830417": "片頭痛"}, **LATER)
        await world.record()

        assert await verdicts(world) == ["SAME_ANSWER"] * 2

    tell(story)


def test_names_are_those_of_then(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await world.data(OPERATOR, LIST, emergency=True)
        world.project()
        await named(world)
        await world.data(OPERATOR, LIST.replace("中央病院", "新中央病院"), emergency=True)
        await world.register(name="試験 花代", **LATER)
        world.project()
        await named(world)

        assert await verdicts(world) == ["SAME_ANSWER"] * 2

    tell(story)


def test_a_page_over_patients_is_replayed_patient_by_patient(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await registered(world, OTHER, "P-2", {"20058911": "狭心症"})
        await world.data(HOSPITAL_SYSTEM, CONSENT.replace(NUMBER, OTHER))
        keys = [{"insuredPerson": number} for number in (OTHER, "00077777:か:9:03", NUMBER)]
        await world.data(DOCTOR, SEVERAL, patients=keys)

        assert await verdicts(world) == ["SAME_ANSWER"] * 2
        audits = [event.audit for event in events(world) if isinstance(event, AccessPermitted)]
        assert all(NUMBER not in audit.variables and OTHER not in audit.variables for audit in audits)

    tell(story)


def test_a_file_is_fetched_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, referral(diagnosis("狭心症")))
        await permit(world)
        parts = urlsplit(await url(world, DOCTOR, told))
        token = parse_qs(parts.query)["token"][0]
        assert await read_attachment(world.application, DOCTOR, told.document, "1", token) is not None

        assert await verdicts(world) == ["SAME_ANSWER"] * 2

    tell(story)


def test_a_refusal_is_decided_again_and_what_cannot_be_run_again_says_why(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await sent(world, referral(diagnosis("狭心症")))
        await permit(world, RecordClass.REFERRAL)
        world.project()
        await world.data(DOCTOR, INBOX)
        watch = world.watch(DOCTOR, WATCH)
        await anext(watch)
        await watch.aclose()
        await world.record(a_caller("dr-hoka", Role.CLINICIAN, "1315555555"))

        assert await verdicts(world, "REFUSED") == ["SAME_REFUSAL"]
        assert set(await verdicts(world)) == {"OVER_PATIENTS", "WATCH"}
        assert await verdicts(world, "WATCHER_TOLD") == ["WATCH"]
        assert set(await verdicts(world, "TRAIL_READ")) == {"TRAIL_READ"}

    tell(story)


def test_what_was_erased_is_named(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        record = await world.record()
        services = world.application.services
        document = world.connection.execute(
            SQL("SELECT document FROM {}").format(
                Identifier(f"record_index_g{live_generation(world.connection, 'record_index')}", "entry")
            )
        ).fetchone()
        assert document is not None
        await erase_document(services, OPERATOR, patient, document[0], units=True, reason="請求")

        found = await replayed(world, record["accessId"])
        assert (found["verdict"], found["entryIds"]) == ("ERASED", [])
        assert [one["document"] for one in found["erasures"]] == [str(document[0])]

        await erase_stream(services, OPERATOR, patient, Stream.RECORD, reason="請求")
        found = await replayed(world, record["accessId"])
        assert (found["verdict"], found["erasures"][-1]["document"]) == ("ERASED", None)

    tell(story)


@pytest.mark.parametrize(
    ("table", "change"),
    [("entry", "name = '異常なし'"), ("entry", "to_pos = 1"), ("entry", "flags_now = '{{UNDELIVERED}}'")],
)
def test_whoever_read_an_index_that_was_tampered_with_was_told_otherwise_than_the_log_says(
    tell: Tell, table: str, change: str
) -> None:
    async def story(world: World) -> None:
        await begun(world)
        before = await named(world)
        tamper(world, table, change)
        after = await named(world)

        assert (await replayed(world, before))["verdict"] == "SAME_ANSWER", "she was told the truth"
        assert (await replayed(world, after))["verdict"] == "DIFFERENT"

    tell(story)


def test_another_version_is_named_and_taken_for_the_cause(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        await begun(world)
        monkeypatch.setitem(settle_readings._VERSIONS, "record_index", 4)
        same = await named(world)
        tamper(world, "entry", "name = '異常なし'")
        written = await named(world)
        tamper(world, "entry", "cancelled_by = event_id FROM (SELECT gen_random_uuid() AS event_id) AS one")
        others = await named(world)

        found = [await replayed(world, access) for access in (same, written, others)]

        assert [one["verdict"] for one in found] == ["SAME_ANSWER", "SAME_ENTRIES", "VERSION_CHANGED"]
        for one in found:
            assert [(change["what"], change["then"]) for change in one["changes"]] == [("record_index", "4")]

    tell(story)


def test_an_access_that_kept_nothing_to_replay_says_so(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await world.record()
        services = world.application.services
        (old,) = [event for event in events(world) if isinstance(event, AccessPermitted)]
        earlier = replace(old, event_id=services.new_id(), audit=replace(old.audit, path=""))
        unknown = replace(
            old,
            event_id=services.new_id(),
            audit=replace(old.audit, document=None, operation_sha256="0" * 64),
        )
        for event in (earlier, unknown):
            await services.log.append_access([event], Beside())

        assert await verdicts(world) == ["SAME_ANSWER", "NOT_KEPT", "DOCUMENT_NOT_KEPT"]

    tell(story)


def test_a_text_that_names_nobody_is_kept_once_and_any_other_lies_in_her_audit(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await named(world)
        await named(world)
        object.__setattr__(  # as in another process
            world.application.services,
            "documents_kept",
            type(world.application.services.documents_kept)(1),
        )
        await named(world)
        await world.record()  # her number stands in the text
        stored = events(world)

        (kept,) = [event for event in stored if isinstance(event, DocumentKept)]
        audits = [event.audit for event in stored if isinstance(event, AccessPermitted)]
        assert kept.document == NAMES
        assert [audit.document is None for audit in audits] == [True, True, True, False]
        assert NUMBER in (audits[-1].document or "")

    tell(story)


def test_a_replay_writes_nothing_but_that_somebody_asked(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        access = await named(world)
        world.project()
        before = world.connection.execute("SELECT topic FROM event").fetchall()

        await replayed(world, access)

        after = world.connection.execute("SELECT topic FROM event").fetchall()
        assert sorted(after) == sorted([*before, ("trail-read",)])

    tell(story)


def test_nobody_but_auditors_replays_and_of_an_unknown_access_there_is_nothing(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await named(world)
        (access,) = await accesses(world)
        asked = "query($id: ID!) { access(id: $id) { replay { verdict } } }"

        assert (await world.data(AUDITOR, asked, id=str(STRANGER)))["access"] is None
        for caller in (DOCTOR, OPERATOR, SENDER, HOSPITAL_SYSTEM, herself()):
            answer = await world.ask(caller, asked, id=access)
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    tell(story)
