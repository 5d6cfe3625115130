"""A witness signs what goes on from what it signed, and keeps that before it signs; the maker takes its line over."""

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import Connection

from checkpoint_examples import KEY, maker_at, some_accesses, some_events
from log_examples import logins
from tsuzuri.eventlog import witness as module
from tsuzuri.eventlog.checkpoints import CheckpointMaker
from tsuzuri.eventlog.cosignatures import handed_in
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import Note, SigningKey
from tsuzuri.eventlog.published import Published, write_whole
from tsuzuri.eventlog.witness import Kept, Looked, NothingKept, Witness

WITNESS = SigningKey("witness.example/one", 4, b"\x09" * 32)
ANOTHER = SigningKey("witness.example/two", 4, b"\x0a" * 32)


class Place:
    """A log's published folder, and a witness with a folder of its own."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.published = Published(folder / "published")
        self.state = folder / "witness"
        witnesses = [WITNESS.public, ANOTHER.public]
        self.maker = CheckpointMaker(logins(dsn), KEY, self.published, witnesses)

    def look(self, at: int = 1_800_000_000, *, first: bool = False) -> Looked:
        return Witness(self.state, WITNESS, KEY.public).look(self.published, at, first=first)

    def kept(self) -> Kept:
        (file,) = self.state.glob("*.json")
        return Kept.of(file.read_text())


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Place:
    some_events(dsn, 12)
    some_accesses(dsn, 9)
    place = Place(dsn, tmp_path)
    place.maker.make()
    return place


def test_what_goes_on_is_countersigned(place: Place) -> None:
    first = place.look(first=True)
    some_events(place.dsn, 5)
    place.maker.make()
    place.maker.make()
    second = place.look()

    assert (first.before, first.checkpoint.size, first.events) == (0, 1, 21)
    assert (second.before, second.checkpoint.size, second.events) == (1, 3, 26)
    for looked in (first, second):
        assert Note.of(looked.note).signed_by(WITNESS.public) and Note.of(looked.note).signed_by(KEY.public)
    assert place.kept().checkpoint == second.checkpoint


def test_a_checkpoint_that_was_signed_is_signed_again(place: Place) -> None:
    assert place.look(first=True).checkpoint == place.look(at=1_800_000_060).checkpoint


def test_nothing_is_signed_that_was_not_kept_before(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(module, "write_whole", full)
    with pytest.raises(OSError):
        place.look(first=True)


def test_without_its_memory_it_signs_nothing(place: Place) -> None:
    with pytest.raises(NothingKept, match="is not there: put it back"):
        place.look()
    place.look(first=True)
    (file,) = place.state.glob("*.json")
    file.write_text(file.read_text().replace('"size": 1', '"size": 3', 1))

    with pytest.raises(ProofFails, match="put it back from its copy"):
        place.look(first=True)


def _cut_heads(published: Published) -> None:
    (published.folder / "heads.ndjson").write_bytes(b"")


def _cut_leaves(published: Published) -> None:
    file = published.folder / "leaves" / "0001"
    file.write_bytes(file.read_bytes()[:-32])


def _another_leaf(published: Published) -> None:
    file = published.folder / "leaves" / "0001"
    file.write_bytes(file.read_bytes()[:-32] + bytes(32))


def _another_key(published: Published) -> None:
    note = Note.of(published.note() or "")
    other = SigningKey("log.example/test", 1, b"\x08" * 32)
    (published.folder / "checkpoint").write_text(f"{note.body}\n{other.signature(note.body)}")


@pytest.mark.parametrize("changed", [_cut_heads, _cut_leaves, _another_leaf, _another_key])
def test_what_does_not_follow_is_not_signed(place: Place, changed: Callable[[Published], None]) -> None:
    changed(place.published)

    with pytest.raises(ProofFails):
        place.look(first=True)
    assert not list(place.state.glob("*.json"))


# --- what the maker takes over


def test_the_maker_takes_a_countersignature_over_once(place: Place, connection: Connection[object]) -> None:
    write_whole(handed_in(place.published.folder, WITNESS.public), place.look(first=True).note)
    place.maker.make()
    place.maker.make()

    note = Note.of(stored(connection, 1))
    assert [name for name, _ in note.signatures] == [KEY.public.name, WITNESS.public.name]
    assert note.signed_by(WITNESS.public)
    assert len(Note.of(stored(connection, 2)).signatures) == 1


@pytest.mark.parametrize("nonsense", ["", "no note", "log.example/test\n9\n", "\u0000" * 20_000])
def test_nonsense_is_passed_over(place: Place, connection: Connection[object], nonsense: str) -> None:
    write_whole(handed_in(place.published.folder, WITNESS.public), nonsense)
    write_whole(handed_in(place.published.folder, ANOTHER.public), place.look(first=True).note)

    assert place.maker.make() is not None
    assert len(Note.of(stored(connection, 1)).signatures) == 1, "the file of one holds another's signature"


def test_a_stranger_is_passed_over(dsn: str, place: Place, connection: Connection[object]) -> None:
    write_whole(handed_in(place.published.folder, WITNESS.public), place.look(first=True).note)
    maker_at(dsn, place.published.folder).make()  # it knows no witness

    assert len(Note.of(stored(connection, 1)).signatures) == 1


def stored(connection: Connection[object], number: int) -> str:
    row = connection.execute("SELECT note FROM log_head WHERE number = %s", (number,)).fetchone()
    assert isinstance(row, tuple)
    return str(row[0])
