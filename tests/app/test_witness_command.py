"""`tsuzuri witness look`: on its own machine, with files alone; and a proof that it countersigned."""

import shutil
from pathlib import Path

import pytest

from checkpoint_examples import KEY, maker_at, some_events
from command_examples import Done, Tsuzuri
from log_examples import CHECKPOINT_SETTINGS, KEY_SETTINGS
from tsuzuri.eventlog.proofs.notes import SigningKey

PUBLIC = KEY.public.text()


@pytest.fixture
def key(tsuzuri: Tsuzuri, tmp_path: Path) -> Path:
    file = tmp_path / "witness.key"
    file.write_text(tsuzuri("audit", "new-key", "witness.example/one", "--witness").out)
    return file


def look(tsuzuri: Tsuzuri, published: Path, state: Path, key: Path, *more: str) -> Done:
    words = ("--published", published, "--state", state, "--key", key, "--log-key", PUBLIC, *more)
    return tsuzuri("witness", "look", *words)


def test_a_proof_under_a_countersigned_checkpoint(
    tsuzuri: Tsuzuri, key: Path, dsn: str, tmp_path: Path
) -> None:
    published = tmp_path / "published"
    public = SigningKey.of(key.read_text()).public.text()
    some_events(dsn, 6)
    maker_at(dsn, published).make()
    some_events(dsn, 2)
    maker_at(dsn, published).make()

    looked = look(tsuzuri, published, tmp_path / "state", key, "--first")
    settings = {"TSUZURI_DATABASE": dsn, "TSUZURI_PUBLISHED": str(published), "TSUZURI_WITNESSES": public}
    made = tsuzuri("audit", "checkpoint", **settings, **KEY_SETTINGS, **CHECKPOINT_SETTINGS)
    assert (looked.code, made.code) == (0, 0), (looked, made)
    assert (
        looked.out == "countersigned checkpoint 2 of log.example/test, 8 events; the first of this witness\n"
    )
    assert (published / "cosignatures" / "witness.example%2Fone").exists()
    for name, end in (("under", ("--at", "2")), ("newest", ())):
        done = tsuzuri("audit", "prove", "--since", "1", *end, "--out", tmp_path / name)
        assert done.code == 0, done.err

    under = tsuzuri("audit", "verify", tmp_path / "under", "--key", PUBLIC, "--witness", public)
    newest = tsuzuri("audit", "verify", tmp_path / "newest", "--key", PUBLIC, "--witness", public)

    assert under.code == 0
    assert under.out.endswith("Signed by log.example/test, checkpoint 2, witness.example/one.\n")
    assert newest.code == 1 and "no signature of witness.example/one" in newest.out


def test_a_rollback_is_refused_and_told_what_to_do(
    tsuzuri: Tsuzuri, key: Path, dsn: str, tmp_path: Path
) -> None:
    published, before = tmp_path / "published", tmp_path / "before"
    some_events(dsn, 3)
    maker_at(dsn, published).make()
    shutil.copytree(published, before)
    maker_at(dsn, published).make()
    assert look(tsuzuri, published, tmp_path / "state", key, "--first").code == 0

    done = look(tsuzuri, before, tmp_path / "state", key)

    assert done.code == 1
    assert "rolled back: checkpoint 1 is published, and 2 was countersigned before" in done.err
    assert "ask whoever runs the log" in done.err
    assert not (before / "cosignatures").exists()


def test_without_state_or_log_it_says_so(tsuzuri: Tsuzuri, key: Path, dsn: str, tmp_path: Path) -> None:
    nothing = look(tsuzuri, tmp_path / "nowhere", tmp_path / "state", key, "--first")
    some_events(dsn, 3)
    maker_at(dsn, tmp_path / "published").make()
    forgotten = look(tsuzuri, tmp_path / "published", tmp_path / "state", key)

    assert (nothing.code, forgotten.code) == (1, 1)
    assert "holds no checkpoint" in nothing.err and "(--first)" in forgotten.err


def test_the_key_of_a_log_countersigns_nothing(tsuzuri: Tsuzuri, tmp_path: Path) -> None:
    (tmp_path / "log.key").write_text(KEY.text())

    done = look(tsuzuri, tmp_path, tmp_path / "state", tmp_path / "log.key")

    assert done.code == 2 and "--witness" in done.err
