"""A backup that was put back: it is held against what was published, destroys again, and is not served before that."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from checkpoint_examples import KEY, maker_at, some_events
from command_examples import Done, Tsuzuri
from examples import AUDITOR, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, OPERATOR, a_bundle
from log_examples import (
    CHECKPOINT_SETTINGS,
    KEY_SETTINGS,
    copied_database,
    opened_events,
    opened_payloads,
    settings_at,
)
from tsuzuri.app.actions.erase import erase_document, erase_stream, lift_hold, place_hold
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services, services
from tsuzuri.domain.events import LogRestored
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Stream
from tsuzuri.eventlog.mapper import ErasedEvent, event_mapper
from tsuzuri.eventlog.proofs.notes import SigningKey
from tsuzuri.eventlog.published import Published

ANOTHER = "00054321:い:9:01"
NEW = SigningKey("log.example/test-2", 1, b"\x0b" * 32)


class Installation:
    """A database with a patient, what it published, and the command over it."""

    def __init__(self, server_dsn: str, dsn: str, folder: Path, tsuzuri: Tsuzuri) -> None:
        self.server_dsn = server_dsn
        self.dsn = dsn
        self.published = folder / "published"
        self.folder = folder
        self._tsuzuri = tsuzuri
        self.stack = ExitStack()

    def sign(self) -> None:
        maker_at(self.dsn, self.published).make()

    def do(self, work: Callable[[Services], Awaitable[Any]]) -> Any:
        async def inside() -> Any:
            async with services(settings_at(self.folder / "home"), self.dsn) as opened:
                return await work(opened)

        return asyncio.run(inside())

    def backup(self) -> str:
        """A copy of the database as it is now."""
        name = f"{conninfo_to_dict(self.dsn)['dbname']}_backup"
        template = str(conninfo_to_dict(self.dsn)["dbname"])
        return self.stack.enter_context(copied_database(self.server_dsn, template, name))

    def put_back(self, backup: str) -> None:
        self.dsn = backup

    def tsuzuri(self, *words: str | Path) -> Done:
        settings = {"TSUZURI_DATABASE": self.dsn, "TSUZURI_PUBLISHED": str(self.published)}
        mode = {"TSUZURI_MODE": "development", "TSUZURI_PORT": "0"}
        return self._tsuzuri(*words, **KEY_SETTINGS, **CHECKPOINT_SETTINGS, **settings, **mode)

    def restored(self, *words: str | Path) -> Done:
        return self.tsuzuri("db", "restored", *words)

    def not_served(self) -> str:
        """Why it is not."""
        done = self.tsuzuri("serve", "--no-projector")
        assert done.code == 1
        return done.err

    def whole_log_verifies(self) -> None:
        proof = self.folder / "log"
        made = self.tsuzuri("audit", "prove", "--log", "--out", proof)
        key = (Published(self.published).note() or "").partition("\n")[0]
        public = NEW if key == NEW.public.name else KEY
        words = ("--key", public.public.text(), "--published", self.published)
        done = self.tsuzuri("audit", "verify", proof, *words)
        assert (made.code, done.code) == (0, 0), (made, done)


@pytest.fixture
def installed(server_dsn: str, dsn: str, tmp_path: Path, tsuzuri: Tsuzuri) -> Iterator[Installation]:
    installation = Installation(server_dsn, dsn, tmp_path, tsuzuri)
    with installation.stack:
        yield installation


@pytest.fixture
def told(installed: Installation) -> RegisteredBundle:
    """A patient with a document and a consent, and another patient; under a checkpoint."""

    async def story(services: Services) -> RegisteredBundle:
        told = await register_bundle(services, CLINIC_SYSTEM, a_bundle())
        she, classes = InsuredPersonNumber.parse(NUMBER), [RecordClass.CONDITION]
        await grant_consent(services, HOSPITAL_SYSTEM, she, HOSPITAL, classes, PurposeOfUse.TREAT, None)
        await register_bundle(services, HOSPITAL_SYSTEM, a_bundle(number=ANOTHER, facility=HOSPITAL))
        return told

    told: RegisteredBundle = installed.do(story)
    installed.sign()
    return told


def kept(dsn: str) -> tuple[set[UUID], set[str], list[LogRestored]]:
    """Payloads that can be read, topics of events that cannot, and what was said of restores."""
    with Connection.connect(dsn, autocommit=True) as connection:
        events = opened_events(connection)
        gone = {event.topic for event in events if isinstance(event, ErasedEvent)}
        said = [event for event in _domain(events) if isinstance(event, LogRestored)]
        return set(opened_payloads(connection)), gone, said


def _domain(events: list[Any]) -> list[Any]:
    mapper = event_mapper()
    return [mapper.to_domain_event(one) for one in events if not isinstance(one, ErasedEvent)]


def heads(dsn: str) -> list[Any]:
    """As they lie in the database, with the parts that had changed."""
    with Connection.connect(dsn) as connection:
        return connection.execute(
            """SELECT h, array(SELECT a FROM part_head_at a WHERE a.head = h.number ORDER BY a.part)::text
               FROM log_head h ORDER BY h.number"""
        ).fetchall()


# --- nothing was lost


def test_a_database_that_stands_where_it_was_is_left_as_it_is(
    installed: Installation, told: RegisteredBundle
) -> None:
    done = installed.restored()

    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "the log goes on: checkpoint 2"
    assert kept(installed.dsn)[2] == []


def test_heads_that_were_signed_since_are_made_again(installed: Installation, told: RegisteredBundle) -> None:
    some_events(installed.dsn, 7)
    backup = installed.backup()
    for _ in range(3):
        installed.sign()
    original = heads(installed.dsn)
    installed.put_back(backup)

    assert "stands at checkpoint 1, published is 4: it is an older copy" in installed.not_served()
    done = installed.restored()

    assert done.code == 0, done.err
    assert "3 checkpoints were made again, each as it was published" in done.out
    assert heads(backup)[:4] == original
    (said,) = kept(backup)[2]
    assert (said.checkpoint, said.lost, said.goes_on_as) == (4, {}, KEY.public.name)
    installed.whole_log_verifies()


def test_a_key_that_was_put_back_is_destroyed_again(
    installed: Installation, told: RegisteredBundle, connection: Connection[Any]
) -> None:
    before = connection.execute("SELECT part, key_id, wrapped FROM data_key").fetchall()

    async def erase(services: Services) -> None:
        await erase_document(services, OPERATOR, told.patient, told.document, units=True, reason="asked for")

    installed.do(erase)
    installed.sign()
    readable = kept(installed.dsn)[0]
    for part, key_id, wrapped in before:
        connection.execute(
            "UPDATE data_key SET wrapped = %s WHERE part = %s AND key_id = %s", (wrapped, part, key_id)
        )
    assert kept(installed.dsn)[0] > readable

    assert "keys that were destroyed are whole in this database" in installed.not_served()
    done = installed.restored()

    assert done.code == 0, done.err
    assert kept(installed.dsn)[0] == readable
    installed.whole_log_verifies()


# --- something was lost


@pytest.fixture
def erased_since(installed: Installation, told: RegisteredBundle) -> str:
    """A backup from before her document, her consents and the record of another were erased; more came after it."""
    backup = installed.backup()

    async def erase(services: Services) -> None:
        others = await register_bundle(services, HOSPITAL_SYSTEM, a_bundle(number=ANOTHER, facility=HOSPITAL))
        await erase_document(services, OPERATOR, told.patient, told.document, units=True, reason="asked for")
        await erase_stream(services, OPERATOR, told.patient, Stream.CONSENT, reason="asked for")
        await erase_stream(services, OPERATOR, others.patient, Stream.RECORD, reason="asked for")

    installed.do(erase)
    installed.sign()
    return backup


def test_what_was_lost_is_told_and_nothing_is_done_without_a_word(
    installed: Installation, erased_since: str
) -> None:
    installed.put_back(erased_since)
    before = kept(erased_since)

    done = installed.restored()

    assert done.code == 1
    lost = [line for line in done.out.splitlines() if line.startswith("LOST: ")]
    assert sum(int(line.split()[1]) for line in lost) == 3
    assert all(" of part " in line and ", behind position " in line for line in lost)
    assert "were destroyed after this backup, and are whole in it" in done.out
    assert "--accept-loss WHY --new-key FILE" in done.err
    assert kept(erased_since) == before
    assert "it is an older copy of the log" in installed.not_served()


def test_with_a_word_it_goes_on_under_another_name_and_what_was_erased_is_gone(
    installed: Installation, erased_since: str, tmp_path: Path
) -> None:
    readable, gone, _ = kept(installed.dsn)
    installed.put_back(erased_since)
    (tmp_path / "new.key").write_text(NEW.text())
    old = (installed.published / "checkpoint").read_text()

    done = installed.restored("--accept-loss", "the disk of the archive", "--new-key", tmp_path / "new.key")

    assert done.code == 0, done.err
    assert "the log goes on as log.example/test-2, checkpoint 1" in done.out
    after = kept(erased_since)
    assert (after[0], after[1]) == (readable, gone)
    (said,) = after[2]
    assert (said.reason, sum(said.lost.values())) == ("the disk of the archive", 3)
    assert (said.origin, said.checkpoint, said.goes_on_as) == (KEY.public.name, 2, NEW.public.name)
    (aside,) = (one for one in tmp_path.iterdir() if one.name.startswith("published-"))
    assert aside.name == "published-log.example%2Ftest-2"
    assert (aside / "checkpoint").read_text() == old
    assert "is not signed by log.example/test" in installed.not_served()  # the old key must not go on
    assert len((installed.published / "erasures.ndjson").read_bytes().splitlines()) >= 3
    installed.whole_log_verifies()


def test_a_loss_is_not_accepted_where_there_is_none(
    installed: Installation, told: RegisteredBundle, tmp_path: Path
) -> None:
    (tmp_path / "new.key").write_text(NEW.text())
    (tmp_path / "same.key").write_text(KEY.text())

    none = installed.restored("--accept-loss", "why", "--new-key", tmp_path / "new.key")
    same = installed.restored("--accept-loss", "why", "--new-key", tmp_path / "same.key")
    half = installed.restored("--accept-loss", "why")

    assert (none.code, same.code, half.code) == (2, 2, 2)
    assert "nothing was lost" in none.err and "under another name" in same.err


def test_a_hold_of_then_does_not_keep_what_was_erased(
    installed: Installation, told: RegisteredBundle, tmp_path: Path
) -> None:
    hold: UUID = installed.do(lambda services: place_hold(services, AUDITOR, told.patient, reason="a case"))
    backup = installed.backup()

    async def erase(services: Services) -> None:
        await lift_hold(services, AUDITOR, told.patient, hold, reason="closed")
        await erase_stream(services, OPERATOR, told.patient, Stream.RECORD, reason="asked for")

    installed.do(erase)
    installed.sign()
    readable = kept(installed.dsn)[0]
    installed.put_back(backup)
    (tmp_path / "new.key").write_text(NEW.text())

    done = installed.restored("--accept-loss", "a drill", "--new-key", tmp_path / "new.key")

    assert done.code == 0, done.err
    assert kept(backup)[0] == readable


# --- another log


def test_an_event_that_was_changed_is_named_and_nothing_is_done(
    installed: Installation, told: RegisteredBundle, connection: Connection[Any]
) -> None:
    connection.execute("UPDATE event SET topic = 'consent-denied' WHERE topic = 'consent-granted'")
    row = connection.execute("SELECT part, pos FROM event WHERE topic = 'consent-denied'").fetchone()
    assert row is not None

    done = installed.restored()

    assert done.code == 1
    assert f"part {row[0]}, position {row[1]}: the event was changed" in done.err


def test_an_event_that_is_missing_in_the_middle_is_no_loss_to_accept(
    installed: Installation, told: RegisteredBundle, connection: Connection[Any], tmp_path: Path
) -> None:
    connection.execute("DELETE FROM event WHERE topic = 'consent-granted'")
    (tmp_path / "new.key").write_text(NEW.text())

    done = installed.restored("--accept-loss", "why", "--new-key", tmp_path / "new.key")

    assert done.code == 1
    assert "the event is missing. Nothing was done; put another backup back" in done.err


def test_without_the_published_folder_nothing_is_served(
    installed: Installation, told: RegisteredBundle
) -> None:
    installed.sign()
    shutil.rmtree(installed.published)

    assert "put the folder back" in installed.not_served()
    assert "holds no checkpoint to hold this database against" in installed.restored().err


def test_an_unsigned_line_has_no_key_destroyed(
    installed: Installation, told: RegisteredBundle, connection: Connection[Any]
) -> None:
    key = connection.execute("SELECT part, key_id FROM data_key LIMIT 1").fetchone()
    assert key is not None
    line = {
        "number": 1,
        "part": key[0],
        "key": str(key[1]),
        "at": "2026-11-22T03:04:05.000000Z",
        "signature": "eA==",
    }
    (installed.published / "erasures.ndjson").write_text(f"{json.dumps(line)}\n")
    before = kept(installed.dsn)

    done = installed.restored()

    assert done.code == 1 and "is not signed by log.example/test" in done.err
    assert kept(installed.dsn) == before


def test_a_dry_run_changes_nothing(installed: Installation, told: RegisteredBundle) -> None:
    backup = installed.backup()
    installed.sign()
    installed.put_back(backup)

    done = installed.restored("--dry-run")

    assert done.code == 0 and "events are as they were published up to checkpoint 2" in done.out
    assert "published is 2" in installed.not_served()
