"""Heads follow from the log, go on from each other, and are not signed over a log that was changed."""

from pathlib import Path

from psycopg import Connection

from checkpoint_examples import maker_at, some_accesses, some_events
from tsuzuri.eventlog.proofs.notes import checked


def test_a_head_covers_what_was_appended(dsn: str, tmp_path: Path) -> None:
    some_events(dsn, 30)
    some_accesses(dsn, 40)
    maker = maker_at(dsn, tmp_path)

    first = maker.make()
    some_accesses(dsn, 5)
    second = maker.make()

    assert first is not None and second is not None
    assert (first.number, first.events, first.whole) == (1, 70, True)
    assert (second.number, second.events, second.whole) == (2, 5, True)
    published = maker._published.checkpoint(maker._key.public)
    assert published == checked(second.note, maker._key.public)
    assert maker._published.standing(published).sizes == sizes(dsn)


def sizes(dsn: str) -> dict[int, int]:
    with Connection.connect(dsn) as connection:
        return dict(connection.execute("SELECT part, pos FROM part_head").fetchall())
