"""Parts are shared by the processes that are alive; a dead one's are taken over, and it applies nothing any more."""

from typing import Any

import pytest
from psycopg import Connection

from log_examples import PARTS, an_owner, listed, opened_log, save
from projection_examples import an_engine
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.checkpoints import LeaseLost, checkpoint
from tsuzuri.projections.leases import Leases

Conn = Connection[Any]
FACILITIES = PROJECTIONS["facilities"]


def silent(connection: Conn, leases: Leases) -> None:
    """Nobody has seen this process for a while."""
    connection.execute(
        "UPDATE projector SET seen_at = seen_at - interval '1 minute' WHERE process = %s", (leases.process,)
    )


def test_a_lone_process_has_every_part(connection: Conn) -> None:
    assert Leases().renew(connection) == frozenset(range(PARTS))


def test_each_part_has_one_process_however_many_come(connection: Conn) -> None:
    processes = [Leases() for _ in range(3)]
    for _ in range(3):
        for one in processes:
            one.renew(connection)

    held = [part for one in processes for part in one.parts]

    assert sorted(held) == list(range(PARTS))
    assert max(len(one.parts) for one in processes) <= -(-PARTS // 3)


def test_who_is_silent_loses_its_parts_and_applies_nothing(dsn: str, connection: Conn) -> None:
    sleeping, awake = Leases(), Leases()
    sleeping.renew(connection)
    silent(connection, sleeping)
    assert awake.renew(connection) == frozenset(range(PARTS))
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1)))

    with pytest.raises(LeaseLost):
        an_engine().step(connection, FACILITIES, 1, parts=sleeping.parts, holds=sleeping.holds)

    assert sum(checkpoint(connection, FACILITIES.name, 1).values()) == 0
    assert an_engine().step(connection, FACILITIES, 1, parts=awake.parts, holds=awake.holds).events == 1


def test_a_part_that_changed_hands_and_came_back_has_another_fence(connection: Conn) -> None:
    one, other = Leases(), Leases()
    one.renew(connection)
    before = dict(one.fences)
    silent(connection, one)
    other.renew(connection)
    silent(connection, other)
    stale = Leases()
    stale.process, stale.fences = one.process, before
    one.renew(connection)

    assert {one.fences[part] - before[part] for part in before} == {2}
    with pytest.raises(LeaseLost):
        stale.holds(connection)


def test_no_part_is_taken_from_under_a_batch(dsn: str, connection: Conn) -> None:
    slow, other = Leases(), Leases()
    slow.renew(connection)
    with Connection.connect(dsn, autocommit=True) as working, working.transaction():
        slow.holds(working)
        silent(connection, slow)
        assert other.renew(connection) == frozenset()

    assert other.renew(connection) == frozenset(range(PARTS))


def test_who_ends_leaves_its_parts_at_once(connection: Conn) -> None:
    one, other = Leases(), Leases()
    one.renew(connection)
    other.renew(connection)
    one.end(connection)

    assert other.renew(connection) == frozenset(range(PARTS))
