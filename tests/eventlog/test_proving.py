"""Proofs that are made of a real log hold, and hold for what was there: nothing else passes for it."""

import copy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection

from checkpoint_examples import KEY, a_watcher_told, maker_at, proven, some_accesses, some_events, store
from log_examples import PARTS, an_owner
from tsuzuri.eventlog.proofs.bundles import AccessesProven, ConsistencyProven, EventProven, Proven, verify
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proving import NotCovered


def checked(proof: Any) -> Proven:
    return verify(proof, KEY.public)


def test_every_event_is_proven(dsn: str, tmp_path: Path) -> None:
    some_events(dsn, 23)
    some_accesses(dsn, 40)
    maker_at(dsn, tmp_path).make()
    with Connection.connect(dsn) as connection:
        places = connection.execute("SELECT part, pos, event_id FROM event").fetchall()

    for part, pos, event_id in places:
        holds = checked(proven(dsn, "event", part, pos))
        assert isinstance(holds, EventProven)
        assert holds.event.event_id == event_id


def test_all_accesses_to_somebody_are_proven(dsn: str, tmp_path: Path) -> None:
    patients = [uuid4() for _ in range(120)]
    some_accesses(dsn, 300, patients)
    store(dsn, a_watcher_told(patients[0]))
    maker = maker_at(dsn, tmp_path)
    maker.make()
    some_accesses(dsn, 7, patients[:3])
    maker.make()
    some_accesses(dsn, 2, patients[:2])  # not covered yet

    for number, patient in enumerate(patients):
        holds = checked(proven(dsn, "accesses", [patient]))
        assert isinstance(holds, AccessesProven)
        assert len(holds.accesses) == 2 + (number < 60) + (3 if number == 0 else 2 if number < 3 else 0)


def test_somebody_at_whom_nobody_looked_is_proven(dsn: str, tmp_path: Path) -> None:
    maker = maker_at(dsn, tmp_path)
    maker.make()
    nobody = checked(proven(dsn, "accesses", [an_owner(1)]))
    some_accesses(dsn, 30, [uuid4() for _ in range(30)])
    maker.make()

    assert isinstance(nobody, AccessesProven) and nobody.accesses == ()
    for owner in (uuid4() for _ in range(50)):
        holds = checked(proven(dsn, "accesses", [owner]))
        assert isinstance(holds, AccessesProven) and holds.accesses == ()


def test_an_access_left_out_is_missed(dsn: str, tmp_path: Path) -> None:
    (patient,) = some_accesses(dsn, 5, [an_owner(2)])
    maker_at(dsn, tmp_path).make()
    proof = proven(dsn, "accesses", [patient])

    for left_out in range(5):
        less = copy.deepcopy(proof)
        del less["lists"][0]["accesses"][left_out]
        with pytest.raises(ProofFails, match="not all accesses"):
            checked(less)


def test_two_checkpoints_are_one_log(dsn: str, tmp_path: Path) -> None:
    maker = maker_at(dsn, tmp_path)
    counts = [0, 40, 0, 300, 3]
    for count in counts:
        some_accesses(dsn, count)
        maker.make()

    for first in range(1, 6):
        for second in range(first, 6):
            holds = checked(proven(dsn, "consistency", first, second))
            assert isinstance(holds, ConsistencyProven)
            assert (holds.events_earlier, holds.events_later) == (sum(counts[:first]), sum(counts[:second]))


def test_a_tree_of_many_levels(dsn: str, tmp_path: Path) -> None:
    """More than 256 events in a part: what is kept of its tree is read."""
    owner = an_owner(0)
    maker = maker_at(dsn, tmp_path)
    for count in (200, 500, 41):
        some_accesses(dsn, count, [owner])
        maker.make()

    for pos in (1, 199, 200, 256, 257, 512, 513, 700, 741):
        assert isinstance(checked(proven(dsn, "event", 0, pos)), EventProven)
    for first, second in ((1, 2), (1, 3), (2, 3)):
        holds = checked(proven(dsn, "consistency", first, second))
        assert isinstance(holds, ConsistencyProven)
    assert an_owner(0).int % PARTS == 0


def test_what_is_newer_is_not_covered_yet(dsn: str, tmp_path: Path) -> None:
    some_accesses(dsn, 3, [an_owner(1)])
    with pytest.raises(NotCovered):
        proven(dsn, "event", an_owner(1).int % PARTS, 1)
    maker_at(dsn, tmp_path).make()
    some_accesses(dsn, 1, [an_owner(1)])

    with pytest.raises(NotCovered):
        proven(dsn, "event", an_owner(1).int % PARTS, 4)
