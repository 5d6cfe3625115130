"""The drill of OPERATIONS, "Backups", on real servers: a base backup with WAL, a disaster, two restores.

The first goes to the moment before the disaster, and loses nothing. The second goes further back, to before an erasure:
what was published afterwards is lost, and is said to be; what was erased stays erased.
"""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Connection

from checkpoint_examples import KEY
from command_examples import Done, Tsuzuri
from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL_SYSTEM, OPERATOR, a_bundle
from log_examples import CHECKPOINT_SETTINGS, KEY_SETTINGS, make_log, opened_payloads, settings_at
from tsuzuri.app.actions.erase import erase_document
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.checkpoints_beside import maker_of, refuse_to_serve_older
from tsuzuri.app.embedded_postgres import EmbeddedPostgres, _binaries
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.eventlog.proofs.notes import SigningKey
from tsuzuri.graphql.schema import build_schema, schema_sha256
from world import CONSENT, World, names

NEW = SigningKey("log.example/test-2", 1, b"\x0b" * 32)
ARCHIVE_SECONDS = 30
LATER = "2026-11-21T10:00:00+09:00"


class Drill:
    """An installation whose server archives its WAL."""

    def __init__(self, folder: Path, tsuzuri: Tsuzuri) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self.published = folder / "published"
        self._tsuzuri = tsuzuri

    def settings(self, dsn: str) -> Settings:
        where = {"TSUZURI_DATABASE": dsn, "TSUZURI_PUBLISHED": str(self.published)}
        return settings_at(self.folder / "home", **where)

    def command(self, dsn: str, *words: str | Path, **more: str) -> Done:
        where = {"TSUZURI_DATABASE": dsn, "TSUZURI_PUBLISHED": str(self.published)}
        mode = {"TSUZURI_MODE": "development", "TSUZURI_PORT": "0"}
        return self._tsuzuri(*words, **KEY_SETTINGS, **CHECKPOINT_SETTINGS, **where, **mode, **more)

    def sign(self, dsn: str) -> None:
        made = maker_of(self.settings(dsn), dsn).make()
        assert made is not None and made.whole

    @contextmanager
    def archiving(self) -> Iterator[str]:
        """The server of every day. Archiving is turned on with a start."""
        self.archive.mkdir()
        home = self.folder / "postgres"
        with EmbeddedPostgres(home) as server, Connection.connect(server.dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET archive_mode = on")
            copy = f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f"
            connection.execute(f"ALTER SYSTEM SET archive_command = '{copy}'".encode())
        self.archive.chmod(0o777)
        with EmbeddedPostgres(home) as server:
            make_log(server.dsn)
            yield server.dsn

    def base_backup(self, dsn: str) -> Path:
        backup = self.folder / "backup"
        program = _binaries() / "pg_basebackup"
        command: list[str | Path] = [program, "-d", dsn, "-D", backup, "-X", "none", "-c", "fast"]
        subprocess.run(command, check=True, capture_output=True)
        return backup

    @contextmanager
    def put_back(self, backup: Path, to: str, name: str) -> Iterator[str]:
        """A new server from the base backup, its log gone through up to a moment."""
        home = self.folder / name
        home.mkdir(mode=0o700)
        shutil.copytree(backup, home / "data")
        shutil.copy(self.folder / "postgres" / "password", home / "password")
        (home / "data" / "recovery.signal").touch()
        with open(home / "data" / "postgresql.auto.conf", "a") as settings:
            settings.write(f"archive_mode = off\nrestore_command = 'cp {self.archive}/%f %p'\n")
            settings.write(f"recovery_target_time = '{to}'\nrecovery_target_action = promote\n")
        with EmbeddedPostgres(home) as server:
            with Connection.connect(server.dsn, autocommit=True) as connection:
                _until(lambda: _one(connection, "SELECT NOT pg_is_in_recovery()"))
            yield server.dsn

    def read(self, dsn: str) -> list[str]:
        """What a clinician is shown of the record."""

        async def inside() -> list[str]:
            async with services(self.settings(dsn), dsn) as opened:
                with Connection.connect(dsn, autocommit=True) as connection:
                    world = World(TsuzuriApplication(opened, schema_sha256(build_schema())), connection)
                    world.project()
                    return names(await world.record(DOCTOR))

        return asyncio.run(inside())

    def tell(self, dsn: str, *bundles: bytes) -> RegisteredBundle:
        """Bundles come in, and a consent to read them."""

        async def inside() -> RegisteredBundle:
            async with services(self.settings(dsn), dsn) as opened:
                application = TsuzuriApplication(opened, schema_sha256(build_schema()))
                told = [await application.register_bundle(CLINIC_SYSTEM, bundle) for bundle in bundles]
                with Connection.connect(dsn, autocommit=True) as connection:
                    await World(application, connection).data(HOSPITAL_SYSTEM, CONSENT)
                return told[0]

        return asyncio.run(inside())

    def erase(self, dsn: str, told: RegisteredBundle) -> None:
        async def inside() -> None:
            async with services(self.settings(dsn), dsn) as opened:
                await erase_document(
                    opened, OPERATOR, told.patient, told.document, units=True, reason="asked for"
                )

        asyncio.run(inside())


def _one(connection: Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _until(done: Any) -> None:
    deadline = time.monotonic() + ARCHIVE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def moment(dsn: str) -> str:
    """Now, as the server counts it, with a commit behind it: a target must be passed by one."""
    with Connection.connect(dsn, autocommit=True) as connection:
        return str(_one(connection, "SELECT clock_timestamp()"))


def readable(dsn: str) -> set[UUID]:
    """Payloads whose keys were not destroyed."""
    with Connection.connect(dsn) as connection:
        return {*opened_payloads(connection)}


def archived(dsn: str) -> None:
    """All WAL until now is in the archive. The switch comes in a transaction of its own, behind every target."""
    with Connection.connect(dsn, autocommit=True) as connection:
        file = _one(connection, "SELECT pg_walfile_name(pg_current_wal_lsn())")
        connection.execute("SELECT pg_switch_wal()")
        _until(
            lambda: _one(
                connection, f"SELECT coalesce(last_archived_wal, '') >= '{file}' FROM pg_stat_archiver"
            )
        )


def test_the_drill(tmp_path: Path, tsuzuri: Tsuzuri) -> None:
    drill = Drill(tmp_path, tsuzuri)
    with drill.archiving() as dsn:
        drill.tell(dsn, a_bundle())
        drill.sign(dsn)
        backup = drill.base_backup(dsn)
        told = drill.tell(dsn, a_bundle(local_id="set-2", timestamp=LATER))
        shown_once, readable_once = drill.read(dsn), readable(dsn)
        drill.sign(dsn)
        before_erasure = moment(dsn)
        drill.erase(dsn, told)
        drill.sign(dsn)
        shown, gone = drill.read(dsn), readable_once - readable(dsn)
        assert gone and shown != shown_once
        drill.sign(dsn)
        before_disaster = moment(dsn)
        with Connection.connect(dsn, autocommit=True) as connection:
            connection.execute("DELETE FROM event WHERE pos % 2 = 0")
        maker_of(drill.settings(dsn), dsn).make()
        archived(dsn)
    shutil.copytree(drill.published, tmp_path / "copy")

    with drill.put_back(backup, before_disaster, "first") as dsn:
        refused = drill.command(dsn, "serve", "--no-projector")
        assert refused.code == 1 and "it is an older copy of the log" in refused.err

        done = drill.command(dsn, "db", "restored")

        assert done.code == 0, done
        assert "checkpoints were made again" in done.out and "LOST" not in done.out
        verified(drill, dsn, KEY, tmp_path / "copy")
        refuse_to_serve_older(drill.settings(dsn), dsn)
        assert drill.read(dsn) == shown

    shutil.rmtree(drill.published)
    shutil.copytree(tmp_path / "copy", drill.published)
    (tmp_path / "new.key").write_text(NEW.text())
    with drill.put_back(backup, before_erasure, "second") as dsn:
        refused = drill.command(dsn, "serve", "--no-projector")
        assert refused.code == 1 and "it is an older copy of the log" in refused.err
        assert gone <= readable(dsn), "the backup brings it back"
        told_first = drill.command(dsn, "db", "restored")
        assert told_first.code == 1 and "LOST: " in told_first.out

        words = ("--accept-loss", "a drill", "--new-key", tmp_path / "new.key")
        done = drill.command(dsn, "db", "restored", *words)

        assert done.code == 0, done
        named = {"TSUZURI_CHECKPOINT_KEY_FILE": str(tmp_path / "new.key")}
        refuse_to_serve_older(
            settings_at(
                tmp_path / "home",
                **{"TSUZURI_PUBLISHED": str(drill.published), "TSUZURI_DATABASE": dsn, **named},
            ),
            dsn,
        )
        verified(drill, dsn, NEW, drill.published)
        assert not gone & readable(dsn)
        assert drill.read(dsn) == shown


def verified(drill: Drill, dsn: str, key: SigningKey, published: Path) -> None:
    """The whole log, offline, against a copy of what was published before the disaster, or after the loss."""
    proof = drill.folder / "log"
    at = (published / "checkpoint").read_text().split("\n")[1]
    made = drill.command(dsn, "audit", "prove", "--log", "--at", at, "--out", proof)
    words = ("--key", key.public.text(), "--published", published, "--kept", published / "checkpoint")
    done = drill.command(dsn, "audit", "verify", proof, *words)
    assert (made.code, done.code) == (0, 0), (made, done)
