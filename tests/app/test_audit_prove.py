"""`tsuzuri audit prove` and `verify`: a proof leaves the house in a file, and is checked with a public key alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from checkpoint_examples import KEY
from command_examples import Tsuzuri
from examples import DOCTOR, HOSPITAL_SYSTEM
from log_examples import CHECKPOINT_SETTINGS, KEY_SETTINGS
from tsuzuri.eventlog.proofs.notes import SigningKey
from world import CONSENT, Tell, World, record_id, tell_in

PUBLIC = KEY.public.text()


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


class Told:
    """A record that was read three times."""

    accesses: list[str]
    patient: UUID


@pytest.fixture
def told(tell: Tell) -> Told:
    left = Told()

    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        records = [await world.record(DOCTOR) for _ in range(3)]
        left.accesses = [record["accessId"] for record in records]
        left.patient = record_id(records[0])
        world.project()

    tell(story)
    return left


@pytest.fixture
def proving(tsuzuri: Tsuzuri, told: Told, dsn: str, tmp_path: Path) -> Callable[..., Path]:
    """Makes a checkpoint, and then a proof in a file."""
    settings = {"TSUZURI_DATABASE": dsn, "TSUZURI_PUBLISHED": str(tmp_path / "published")}
    made = tsuzuri("audit", "checkpoint", **settings, **KEY_SETTINGS, **CHECKPOINT_SETTINGS)
    assert made.code == 0, made.err
    (tmp_path / "kept").write_text(made.out)

    def proven(*words: str) -> Path:
        file = tmp_path / "proof"
        done = tsuzuri("audit", "prove", *words, "--out", str(file))
        assert (done.code, done.err) == (0, ""), done.err
        return file

    return proven


def test_all_accesses_are_read_in_either_language(
    proving: Callable[..., Path], told: Told, tsuzuri: Tsuzuri, tmp_path: Path
) -> None:
    file = proving("--patient", str(told.patient))

    english = tsuzuri("audit", "verify", file, "--key", PUBLIC, "--kept", tmp_path / "kept")
    japanese = tsuzuri("audit", "verify", file, "--key", PUBLIC, "--language", "ja")

    assert (english.code, japanese.code) == (0, 0)
    lines = english.out.splitlines()
    assert lines[0].startswith("PROVEN: these 3 are all accesses to this record")
    assert [line.rpartition(" [")[2].rstrip("]") for line in lines[1:4]] == told.accesses
    assert "with the patient's consent" in lines[1]
    assert lines[4].startswith(f"Whose record: {told.patient}.")
    assert lines[-1] == "Signed by log.example/test, checkpoint 1."
    assert "次の3件がすべてです" in japanese.out and "本人の同意にもとづいて" in japanese.out


def test_what_is_not_in_a_proof_is_not_called_erased(
    proving: Callable[..., Path], told: Told, tsuzuri: Tsuzuri
) -> None:
    file = proving("--patient", str(told.patient))
    proof = json.loads(file.read_text())
    proof["lists"][0]["accesses"][1]["key"] = None
    file.write_text(json.dumps(proof))

    done = tsuzuri("audit", "verify", file, "--key", PUBLIC)

    assert done.out.count("was erased, or is not in this proof") == 1


def test_one_access_shows_what_the_auditor_may_read(
    proving: Callable[..., Path], told: Told, tsuzuri: Tsuzuri
) -> None:
    done = tsuzuri("audit", "verify", proving(told.accesses[1]), "--key", PUBLIC)

    assert done.code == 0
    assert done.out.startswith("PROVEN: this stands in the log at part ")
    assert '"operation_sha256"' in done.out and '"person": "dr-hamada"' in done.out


def test_the_log_goes_on_and_is_whole(
    proving: Callable[..., Path], told: Told, tsuzuri: Tsuzuri, tmp_path: Path
) -> None:
    tsuzuri("audit", "checkpoint")
    goes_on = tsuzuri("audit", "verify", proving("--since", "1"), "--key", PUBLIC)
    whole = tsuzuri(
        "audit", "verify", proving("--log"), "--key", PUBLIC, "--published", tmp_path / "published"
    )
    earlier = tsuzuri(
        "audit", "verify", proving("--log", "--at", "1"), "--key", PUBLIC, "--kept", tmp_path / "kept"
    )

    assert goes_on.out.startswith("PROVEN: the log of checkpoint 2 is that of checkpoint 1 with ")
    assert whole.out.startswith("PROVEN: all ") and "NOT COVERED YET" in whole.out
    assert earlier.out.startswith("PROVEN: all ")
    assert (goes_on.code, whole.code, earlier.code) == (0, 0, 0)


def test_an_access_under_a_checkpoint_that_one_has(
    proving: Callable[..., Path], told: Told, tsuzuri: Tsuzuri, tmp_path: Path
) -> None:
    tsuzuri("audit", "checkpoint")
    kept = ("--key", PUBLIC, "--kept", tmp_path / "kept")

    under = tsuzuri("audit", "verify", proving(told.accesses[0], "--at", "1"), *kept)
    newest = tsuzuri("audit", "verify", proving(told.accesses[0]), *kept)
    leads_on = tsuzuri("audit", "verify", proving("--since", "1"), *kept)
    no_such = tsuzuri("audit", "prove", told.accesses[0], "--at", "9")
    of_all = tsuzuri("audit", "prove", "--patient", str(told.patient), "--at", "1")

    assert (under.code, newest.code, leads_on.code) == (0, 1, 0)
    assert under.out.endswith("Signed by log.example/test, checkpoint 1.\n")
    assert "ends in checkpoint 2, and not in the one that was kept (1)" in newest.out
    assert (no_such.code, no_such.err) == (1, "tsuzuri: there is no head 9\n")
    assert of_all.code == 2


def test_what_was_changed_is_not_proven(
    proving: Callable[..., Path], told: Told, tsuzuri: Tsuzuri, tmp_path: Path
) -> None:
    file = proving("--patient", str(told.patient))
    proof = json.loads(file.read_text())
    proof["lists"][0]["accesses"].pop()
    file.write_text(json.dumps(proof))

    done = tsuzuri("audit", "verify", file, "--key", PUBLIC)

    assert done.code == 1
    assert done.out.startswith("NOT PROVEN: these 2 are not all accesses")


def test_a_changed_log_is_named_by_its_place(
    proving: Callable[..., Path], connection: Connection[Any], tsuzuri: Tsuzuri, tmp_path: Path
) -> None:
    connection.execute("UPDATE event SET topic = 'trail-read' WHERE topic = 'access-permitted'")

    done = tsuzuri(
        "audit", "verify", proving("--log"), "--key", PUBLIC, "--published", tmp_path / "published"
    )

    assert done.code == 1
    assert "the event was changed" in done.out and "position" in done.out


def test_another_logs_key_proves_nothing(proving: Callable[..., Path], told: Told, tsuzuri: Tsuzuri) -> None:
    other = SigningKey.made("log.example/test").public.text()

    done = tsuzuri("audit", "verify", proving("--patient", str(told.patient)), "--key", other)

    assert (done.code, done.out) == (1, "NOT PROVEN: this checkpoint is not signed by log.example/test\n")


def test_keys_are_made_and_shown(tsuzuri: Tsuzuri, tmp_path: Path) -> None:
    made = tsuzuri("audit", "new-key", "log.example/tsuzuri")
    (tmp_path / "new.key").write_text(made.out)
    shown = tsuzuri("audit", "public-key", tmp_path / "new.key")

    assert SigningKey.of(made.out).public.text() == shown.out.strip()
    assert shown.out.startswith("log.example/tsuzuri+")
    assert tsuzuri("audit", "new-key", "a name").code == 2


def test_the_look_is_in_the_trail(
    proving: Callable[..., Path], told: Told, connection: Connection[Any]
) -> None:
    proving("--patient", str(told.patient))

    row = connection.execute("SELECT count(*) FROM event WHERE topic = 'trail-read'").fetchone()
    assert row == (1,)
