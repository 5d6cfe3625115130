"""The patient is told: what happened, where and until when, at least once whatever fails; and nothing more."""

import asyncio
import itertools
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from emergency_examples import OPEN_WINDOW, TOWN, declared, entitled, read, soon
from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, OPERATOR, a_bundle
from fence_examples import LINK
from log_examples import an_owner, destroy_key, listed, opened_log, save
from notice_examples import HER, Told, an_emergency, its_sender_died, lines, sender
from tsuzuri.app.notices import sender as sending_process
from tsuzuri.app.notices.file_outlet import FileOutlet
from tsuzuri.app.notices.outlet import NoticeNotTaken, OutletDown, as_json
from tsuzuri.app.notices.place import sending
from tsuzuri.domain.notices import Notice
from tsuzuri.domain.vocabulary import Role, Stream
from world import Tell, World, tell_in

ALL = ["EMERGENCY_DECLARED", "EMERGENCY_READ", "EMERGENCY_WIDENED"]
WHO = """query($patient: PatientKey!) { patientRecord(patient: $patient, purpose: BTG) {
  ... on PatientRecord { patient { id } } } }"""
FORK = get_context("fork")


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def another_patient(world: World) -> UUID:
    """Whose events lie in another part than those of the first."""
    row = world.connection.execute(
        "SELECT patient_id FROM event WHERE topic = 'emergency-declared'"
    ).fetchone()
    assert row is not None
    part_of = world.application.services.log.part_of
    for number in itertools.count(200):
        bundle = a_bundle(number=f"00012345:いう:{number}:01", local_id=f"set-{number}")
        bundle = bundle.replace(b'"P-1"', b'"P-%d"' % number)
        patient = (await world.application.register_bundle(CLINIC_SYSTEM, bundle)).patient
        if part_of(patient) != part_of(row[0]):
            return patient
    raise AssertionError


def test_of_an_emergency_she_is_told_its_declaration_its_first_read_and_its_widening(
    tell: Tell, dsn: str
) -> None:
    async def story(world: World) -> None:
        emergency = await an_emergency(world)
        told = Told()

        sent = sender(dsn, told).send()

        assert told.kinds == ALL, "not the second read"
        assert sent is not None and (sent.delivered, sent.waiting) == (3, False)
        first = told.notices[0]
        assert (first.id, first.emergency) == (emergency, emergency)
        assert {(one.facility, one.role, one.emergency) for one in told.notices} == {
            (HOSPITAL, Role.CLINICIAN, emergency)
        }
        assert {one.until for one in told.notices} == {first.until}
        assert first.until is not None and first.until - first.at <= timedelta(minutes=60)
        again = Told()
        sender(dsn, again).send()
        assert again.notices == [], "told once, when nothing fails"

    tell(story)


def test_a_notice_holds_no_name_no_reason_and_nothing_clinical(tell: Tell, dsn: str) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        told = Told()
        sender(dsn, told).send()

        for notice in told.notices:
            text = as_json(notice).decode()
            assert set(json.loads(text)) == {
                "id",
                "kind",
                "patient",
                "facility",
                "role",
                "at",
                "until",
                "emergency",
            }
            for hidden in ("dr-hamada", "意識", "手術", HER["insuredPerson"], "高血圧"):
                assert hidden not in text

    tell(story)


def test_each_emergency_has_a_first_read_of_its_own_and_a_read_with_consent_is_no_news(
    tell: Tell, dsn: str
) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        second = (await declared(world, DOCTOR, HER))["id"]
        await read(world, DOCTOR, HER)
        await read(world, DOCTOR, HER)
        await read(world, DOCTOR, HER, "TREAT")
        told = Told()

        sender(dsn, told).send()

        assert told.kinds == [*ALL, "EMERGENCY_DECLARED", "EMERGENCY_READ"]
        assert [str(one.emergency) for one in told.notices[3:]] == [second, second]

    tell(story)


def test_who_is_linked_is_read_under_both_names_and_told_once_though_they_lie_in_two_parts(
    tell: Tell, dsn: str
) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        other = await another_patient(world)
        sender(dsn, Told()).send()
        survivor = {"id": (await world.data(DOCTOR, WHO, patient=HER))["patientRecord"]["patient"]["id"]}
        await world.data(OPERATOR, LINK, survivor=survivor["id"], other=str(other))
        world.project()
        emergency = (await declared(world, DOCTOR, {"id": str(other)}))["id"]
        for key in (survivor, {"id": str(other)}, survivor):
            assert (await read(world, DOCTOR, key))["__typename"] == "PatientRecord"
        told = Told()

        sender(dsn, told).send()

        (first,) = [one for one in told.notices if one.kind == "EMERGENCY_READ"]
        assert str(first.emergency) == emergency
        assert first.until is not None, "found in whichever part the declaration lies"

    tell(story)


def test_of_a_disaster_she_is_told_every_read(tell: Tell, dsn: str) -> None:
    async def story(world: World) -> None:
        await world.register()
        world.project()
        await entitled(world)
        await world.data(OPERATOR, OPEN_WINDOW, towns=[TOWN], until=soon())
        for _ in range(2):
            assert (await read(world, DOCTOR, HER, "DISASTER"))["__typename"] == "PatientRecord"
        told = Told()

        sender(dsn, told).send()

        assert told.kinds == ["DISASTER_READ", "DISASTER_READ"]
        assert {(one.facility, one.until, one.emergency) for one in told.notices} == {(HOSPITAL, None, None)}
        assert len({one.id for one in told.notices}) == 2

    tell(story)


def test_while_the_outlet_is_down_reads_go_on_and_nothing_is_lost(tell: Tell, dsn: str) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)

        def down(_: Notice) -> None:
            raise OutletDown("the outlet: no answer")

        sent = sender(dsn, Told(down)).send()
        assert sent is not None and (sent.delivered, sent.waiting, sent.down) == (0, True, True)
        assert sending(world.connection).lag_seconds > 0
        assert (await read(world, DOCTOR, HER))["__typename"] == "PatientRecord"
        told = Told()
        sender(dsn, told).send()

        assert told.kinds == ALL
        assert sending(world.connection).lag_seconds == 0

    tell(story)


def test_it_tries_again_by_itself_until_the_outlet_is_back(
    tell: Tell, dsn: str, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending_process, "RETRY_SECONDS", 0.01)
    tries: list[Notice] = []

    def down_twice(notice: Notice) -> None:
        tries.append(notice)
        if len(tries) == 1:
            raise OutletDown("the outlet: no answer")
        if len(tries) == 2:
            raise ValueError("a fault of ours")

    async def story(world: World) -> None:
        await an_emergency(world)
        told = Told(down_twice)
        worker = sender(dsn, told)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            async with asyncio.timeout(60):
                while sending(connection).lag_seconds > 0:
                    await asyncio.sleep(0.02)
        finally:
            worker.stopping.set()
            thread.join(30)

        assert told.kinds == ALL
        assert [one.kind for one in tries[:3]] == ["EMERGENCY_DECLARED"] * 3

    tell(story)


def test_a_notice_that_is_not_taken_keeps_nobody_else_waiting(tell: Tell, dsn: str) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        other = await another_patient(world)
        await declared(world, DOCTOR, {"id": str(other)})

        def refuse(notice: Notice) -> None:
            if notice.kind == "EMERGENCY_DECLARED" and notice.patient != other:
                raise NoticeNotTaken("the outlet: the answer to this notice was 422")

        picky = Told(refuse)
        sent = sender(dsn, picky).send()
        assert sent is not None and (sent.delivered, sent.waiting, sent.down) == (1, True, False)
        assert [one.patient for one in picky.notices] == [other]

        told = Told()
        sender(dsn, told).send()
        assert told.kinds == ALL

    tell(story)


def test_what_was_erased_is_passed_over_and_a_read_is_told_though_its_emergency_was(
    tell: Tell, dsn: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        (patient, version) = world.connection.execute(
            "SELECT patient_id, max(version) FROM event WHERE stream = 1 AND topic LIKE 'bundle%' GROUP BY 1"
        ).fetchall()[0]
        destroy_key(dsn, patient, Stream.CONSENT, version + 1)
        told = Told()

        sender(dsn, told).send()

        assert told.kinds == ["EMERGENCY_READ"]
        assert (told.notices[0].facility, told.notices[0].until) == (HOSPITAL, None)
        assert "notices_erased" in "".join(capfd.readouterr())
        destroy_key(dsn, patient, Stream.ACCESS, version + 2)
        world.connection.execute("DELETE FROM notice_place")
        nothing = Told()
        sent = sender(dsn, nothing).send()
        assert sent is not None and (nothing.notices, sent.waiting) == ([], False)

    tell(story)


def test_an_event_that_nobody_can_read_keeps_nobody_from_being_told(
    tell: Tell, dsn: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        world.connection.execute("UPDATE event SET state = 'broken' WHERE topic = 'emergency-declared'")
        told = Told()

        sender(dsn, told).send()

        assert told.kinds == ALL[1:]
        assert "notice_unreadable" in "".join(capfd.readouterr())

    tell(story)


def test_one_process_sends_and_when_it_has_died_another_does(
    tell: Tell, dsn: str, connection: Connection[Any]
) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        others: list[Any] = []
        told = Told(lambda _: others.append(sender(dsn, Told()).send()))

        sender(dsn, told).send()

        assert others == [None, None, None], "while it delivered"
        assert told.kinds == ALL
        assert sending(connection).sender is None, "given up at its end"

    tell(story)


class Deadly(FileOutlet):
    """Kills its process at a step of a delivery."""

    def __init__(self, path: Path, step: str, passes: int) -> None:
        super().__init__(path)
        self.step, self.passes = step, passes

    def deliver(self, notice: Notice) -> None:
        die = self.passes == 0
        self.passes -= 1
        if die and self.step == "torn":
            with self.path.open("ab") as file:
                file.write(as_json(notice)[:40])
        if die and self.step != "behind":
            os.kill(os.getpid(), signal.SIGKILL)
        super().deliver(notice)
        if die:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("step", ["before", "torn", "behind"])
def test_killed_at_any_step_each_notice_is_delivered_and_no_line_is_torn(
    tell: Tell, dsn: str, tmp_path: Path, step: str
) -> None:
    async def story(world: World) -> None:
        await an_emergency(world)
        file = tmp_path / "notices.ndjson"
        file.touch()
        for passes in range(3):
            deadly = sender(dsn, Deadly(file, step, passes))
            process = FORK.Process(target=deadly.send)
            process.start()
            process.join(60)
            assert process.exitcode == -signal.SIGKILL
            assert sender(dsn, FileOutlet(file)).send() is None, "so soon it may be alive"
            its_sender_died(world.connection)

        sender(dsn, FileOutlet(file)).send()

        told = lines(file)
        assert [kind for kind in dict.fromkeys(line["kind"] for line in told)] == ALL
        assert len({line["id"] for line in told}) == 3

    tell(story)


def test_what_concerns_no_patient_is_gone_through_and_told_to_nobody(
    dsn: str, connection: Connection[Any]
) -> None:
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1)), listed(an_owner(2)))
    before = sending(connection)
    told = Told()

    sender(dsn, told).send()

    assert told.notices == []
    assert before.lag_seconds > 0
    assert sending(connection) == replace(before, lag_seconds=0.0)
