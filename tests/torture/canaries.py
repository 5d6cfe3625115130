"""Canaries: a word of its own in every text of every Bundle of a patient, and then a search for it everywhere.

What is printed and logged must never hold one. The tables of the log must never hold one in the clear. And when a
patient was erased and the erasure finished, no file of the database may hold hers, not even the WAL. The control
does with the projections what one would do first: a plain VACUUM.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Connection

from examples import DOCTOR, HOSPITAL, OPERATOR, a_caller
from log_examples import KEY_SETTINGS, LEAST_RULES, settings_at
from torture.harness import Outcome, Torture
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.database import bring_up
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.app.sample.generate import sample_bundles
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.vocabulary import RecordClass, Role, Stream
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.schema import build_schema, schema_sha256

COMMAND = [sys.executable, "-c", "from tsuzuri.app.cli import main; main()"]
_TEXTS = ("text", "display", "family", "given", "title", "line", "valueString", "description", "div", "city")
_PATIENTS_MOST = 40
_CONSENT = """mutation ($p: ID!, $f: String!, $c: [RecordClass!]!) {
    grantConsent(patient: {id: $p}, facility: $f, classes: $c) }"""
_READ = """query ($p: ID!) { patientRecord(patient: {id: $p}) { __typename
    ... on PatientRecord { patient { name } entries(first: 5) { nodes { name } } } } }"""


def canary(patient: int) -> str:
    return f"鶯谷{patient:05d}ウグイス"


def marked(value: Any, word: str, key: str = "") -> Any:
    """The same JSON with the word at the end of every text for people."""
    match value:
        case dict():
            return {name: marked(each, word, name) for name, each in value.items()}
        case list():
            return [marked(each, word, key) for each in value]
        case str() if key in _TEXTS and not value.endswith(word):
            return value.replace("</div>", f"{word}</div>") if key == "div" else f"{value} {word}"
        case _:
            return value


class World:
    """A server, the sample in it with canaries, and everything that any command printed."""

    def __init__(self, folder: Path, server: EmbeddedPostgres, patients: int) -> None:
        self.folder = folder
        self.server = server
        self.settings: Settings = settings_at(folder, TSUZURI_DATABASE=server.dsn, TSUZURI_PARTS="4")
        bring_up(self.settings, server.dsn)
        self.printed = ""
        bundles = folder / "bundles"
        bundles.mkdir()
        for number, bundle in enumerate(sample_bundles(patients, seed=3)):
            body = marked(json.loads(bundle.body), canary(bundle.patient))
            if number % 5 == 4:  # one in five cannot be taken: what is said of it must not repeat it
                body["entry"][-1]["resource"]["unheardOf"] = canary(bundle.patient)
            text = json.dumps(body, ensure_ascii=False)
            (bundles / bundle.name).write_text(text if number % 7 else text[: len(text) // 2])
        self.run("ingest", str(bundles), accept=(0, 1))
        self.run("projections", "catch-up")

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> None:
        environment = {
            **os.environ,
            "TSUZURI_HOME": str(self.folder),
            "TSUZURI_MODE": "development",
            "TSUZURI_DATABASE": self.server.dsn,
            **LEAST_RULES,
            **KEY_SETTINGS,
        }
        done = subprocess.run(
            [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=600
        )
        self.printed += done.stdout + done.stderr
        assert done.returncode in accept, (
            f"{arguments[:2]} ended with {done.returncode}: {done.stderr[-500:]}"
        )

    def patients(self) -> dict[int, list[UUID]]:
        """The sample's number of a patient → her ids, by the canary in her name."""
        found: dict[int, list[UUID]] = {}
        with self.connected() as connection:
            for patient, name in connection.execute(
                "SELECT patient_id, name FROM identities_g1.person"
            ).fetchall():
                found.setdefault(int(name[name.index("鶯谷") + 2 :][:5]), []).append(patient)
        return found

    def read_everybody(self) -> None:
        """Consents, reads, refusals and mistakes; what is kept of them is errors, never answers."""

        async def inside() -> None:
            schema = build_schema()
            async with services(self.settings, self.server.dsn) as opened:
                application = TsuzuriApplication(opened, schema_sha256(schema))
                for number, ids in self.patients().items():
                    patient = ids[0]
                    herself = a_caller(person=f"p-{number}", role=Role.PATIENT, patient=patient)
                    granted = {"p": str(patient), "f": HOSPITAL, "c": [str(c) for c in RecordClass]}
                    for caller, document, variables in (
                        (DOCTOR, _READ, {"p": str(patient)}),
                        (herself, _CONSENT, granted),
                        (DOCTOR, _READ, {"p": str(patient)}),
                        (DOCTOR, _READ, {"p": canary(number)}),
                        (DOCTOR, _READ + f' # "{canary(number)}', {}),
                    ):
                        answer = await execute(schema, application, caller, document, variables)
                        self.printed += json.dumps(answer.get("errors", ""), ensure_ascii=False)

        asyncio.run(inside())

    def erase(self, patients: Sequence[UUID]) -> None:
        """All that the log holds of them."""

        async def inside() -> None:
            async with services(self.settings, self.server.dsn) as opened:
                for patient in patients:
                    for stream in Stream:
                        await erase_stream(opened, OPERATOR, patient, stream, reason="the patient asked")

        asyncio.run(inside())

    def connected(self) -> Connection[Any]:
        return Connection.connect(self.server.dsn, autocommit=True)

    def files(self) -> Iterator[Path]:
        return (path for path in (self.folder / "postgres" / "data").rglob("*") if path.is_file())


def holding(paths: Iterator[Path], words: set[str]) -> list[str]:
    """Files that hold one of the words, and how many."""
    found = []
    for path in paths:
        body = path.read_bytes()
        if number := sum(body.count(word.encode()) for word in words):
            found.append(f"{path.parent.name}/{path.name} holds {number} canaries")
    return found


def tormented(folder: Path, share: float, finish: Callable[[World], None]) -> Outcome:
    patients = max(3, round(_PATIENTS_MOST * share))
    with EmbeddedPostgres(folder / "postgres") as server:
        world = World(folder, server, patients)
        world.read_everybody()
        everybody = {canary(number) for number in range(patients)}
        faults = [f"printed or logged: {word}" for word in sorted(everybody) if word in world.printed]
        faults += holding(iter([folder / "postgres" / "server.log"]), everybody)
        ids = world.patients()
        erased = sorted(ids)[: len(ids) // 2]
        world.erase([patient for number in erased for patient in ids[number]])
        world.run("projections", "catch-up")
        finish(world)
        with world.connected() as connection:
            faults += _log_faults(connection, everybody)
            kept = holding_rows(connection, {canary(number) for number in ids if number not in erased})
        if not kept:
            faults.append("the canaries of those who were not erased cannot be found: the search is blind")
        gone = {canary(number) for number in erased}
        faults += holding(world.files(), gone)
        done = f"{patients} patients, {len(erased)} erased, {len(list(world.files()))} files searched"
    return Outcome(done, faults)


def _log_faults(connection: Connection[Any], words: set[str]) -> list[str]:
    """Tables of the log that hold a word in the clear, and leaf hashes that do not verify."""
    faults = []
    for table in ("event", "payload", "patient_head", "data_key", "identifier"):
        with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as rows:
            body = b"".join(bytes(row) for row in rows)
        if any(word.encode() in body for word in words):
            faults.append(f"{table} holds a canary in the clear")
    broken = connection.execute(
        """SELECT count(*) FROM event e WHERE hash <> leaf_hash(
           part, pos, event_id, patient_id, stream, version, topic, key_id, state, recorded_at)"""
    ).fetchone()
    if broken != (0,):
        faults.append(f"{broken} leaf hashes do not verify")
    return faults


def holding_rows(connection: Connection[Any], words: set[str]) -> bool:
    """Whether the projections show these words."""
    names = connection.execute(
        "SELECT table_schema FROM information_schema.tables WHERE table_name = 'person'"
    ).fetchall()
    found = connection.execute(f"SELECT string_agg(name, ' ') FROM {names[-1][0]}.person".encode()).fetchone()
    return found is not None and found[0] is not None and all(word in found[0] for word in words)


def _finished(world: World) -> None:
    world.run("erase", "finish")


def _only_vacuumed(world: World) -> None:
    with world.connected() as connection:
        connection.execute("VACUUM")
        connection.execute("CHECKPOINT")


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, _finished)


def vacuumed(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, _only_vacuumed)


TORTURE = Torture("canaries", run, {"a plain VACUUM": vacuumed})
