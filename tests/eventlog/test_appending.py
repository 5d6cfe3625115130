"""Appending: gapless positions in commit order, each event once, and all of it or nothing."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import IntegrityError, OperationalError
from psycopg import Connection

from examples import granted
from log_examples import (
    a_payload,
    an_owner,
    data_keys,
    everything,
    listed,
    opened_log,
    opened_payloads,
    save,
    trail_read,
    wait_until_somebody_waits,
)
from tsuzuri.domain.events import Event
from tsuzuri.eventlog.appending import Beside, Claim
from tsuzuri.eventlog.log import LogApplication
from tsuzuri.eventlog.places import Place
from tsuzuri.eventlog.sealed_events import unseal_consents

WRITERS = 8
APPENDS_EACH = 40


def test_eight_writers_leave_no_gap_and_commit_in_the_order_of_positions(
    dsn: str, connection: Connection[Any]
) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    done = threading.Event()
    with opened_log(dsn, connections=WRITERS) as log, ThreadPoolExecutor(WRITERS + 1) as threads:
        watching = threads.submit(looks_at_the_log_until, done, dsn)
        try:
            writing = [threads.submit(write, log, number, seed) for number in range(WRITERS)]
            written = [line for writer in writing for line in writer.result()]
        finally:
            done.set()
        looks = watching.result()

    stored = connection.execute("SELECT part, pos, event_id FROM event ORDER BY part, pos").fetchall()
    assert [(place.part, place.pos, event_id) for place, event_id in sorted(written)] == stored
    for part, head in connection.execute("SELECT part, pos FROM part_head").fetchall():
        assert [pos for p, pos, _ in stored if p == part] == list(range(1, head + 1))
        assert head > 100, "every part was written to by many at once"
    assert looks > 20, "the log was looked at while it was written"
    assert disordered_times(connection) == []


def write(log: LogApplication, number: int, seed: int) -> list[tuple[Place, UUID]]:
    """One writer's appends: batches over its own owners, in all parts and in any order."""
    rng = random.Random(f"{seed}/{number}")
    owners = [an_owner(number * 100 + k) for k in range(6)]
    versions = dict.fromkeys(owners, 0)
    written: list[tuple[Place, UUID]] = []
    for _ in range(APPENDS_EACH):
        batch: list[Event] = []
        for owner in rng.choices(owners, k=rng.randint(1, 4)):
            if rng.random() < 0.3:
                batch.append(trail_read(owner))
            else:
                versions[owner] += 1
                batch.append(listed(owner, versions[owner]))
        written += zip(save(log, *batch), (event.event_id for event in batch), strict=True)
    return written


def looks_at_the_log_until(done: threading.Event, dsn: str) -> int:
    """In no snapshot is there a gap, an event beyond its head or a head without its event."""
    looks = 0
    with Connection.connect(dsn, autocommit=True) as connection:
        while not done.is_set():
            broken = connection.execute(
                """SELECT h.part, h.pos, count(e.pos), max(e.pos)
                   FROM part_head h LEFT JOIN event e USING (part) GROUP BY h.part, h.pos
                   HAVING h.pos <> count(e.pos) OR h.pos <> coalesce(max(e.pos), 0)"""
            ).fetchall()
            assert broken == []
            looks += 1
    return looks


def disordered_times(connection: Connection[Any]) -> list[Any]:
    """Events that were recorded before the one in front of them."""
    return connection.execute(
        """SELECT part, pos FROM (SELECT part, pos, recorded_at,
                  lag(recorded_at) OVER (PARTITION BY part ORDER BY pos) AS earlier FROM event) AS e
           WHERE recorded_at < earlier"""
    ).fetchall()


def test_an_append_that_is_repeated_gives_the_same_places_and_writes_nothing(
    dsn: str, connection: Connection[Any]
) -> None:
    here, there = an_owner(1), an_owner(2)
    events = [listed(here, 1), trail_read(there), listed(here, 2)]
    beside = Beside(narrows=True, payloads=[a_payload()], claims=[Claim(b"\x01" * 32, here)])
    with opened_log(dsn) as log:
        places = save(log, *events, beside=beside)
        before = everything(connection)

        again = save(log, *events, beside=beside)

    assert places == [Place(1, 1), Place(2, 1), Place(1, 2)]
    assert again == places
    assert everything(connection) == before


def test_the_places_of_a_repeated_append_follow_the_order_in_which_it_is_sent(dsn: str) -> None:
    one, two = trail_read(an_owner(1)), trail_read(an_owner(1))
    with opened_log(dsn) as log:
        assert save(log, one, two) == [Place(1, 1), Place(1, 2)]

        assert save(log, two, one) == [Place(1, 2), Place(1, 1)]


def test_a_set_of_which_only_a_part_is_stored_is_refused(dsn: str, connection: Connection[Any]) -> None:
    stored, new = listed(an_owner(1), 1), listed(an_owner(1), 2)
    with opened_log(dsn) as log:
        save(log, stored)
        before = everything(connection)

        with pytest.raises(IntegrityError):
            save(log, stored, new, beside=Beside(payloads=[a_payload(b"new")]))

    assert everything(connection) == before


def test_an_event_that_does_not_continue_its_stream_leaves_nothing_behind(
    dsn: str, connection: Connection[Any]
) -> None:
    owner, other = an_owner(1), an_owner(2)
    with opened_log(dsn) as log:
        save(log, listed(owner, 1), listed(owner, 2))
        before = everything(connection)

        for version in (1, 2, 4):  # begun anew, taken already, one left out
            with pytest.raises(IntegrityError):
                save(
                    log,
                    listed(other, 1),  # this one alone would go in
                    listed(owner, version),
                    beside=Beside(
                        narrows=True,
                        consents=b"folded",
                        payloads=[a_payload()],
                        claims=[Claim(b"\x02" * 32, owner)],
                    ),
                )

            assert everything(connection) == before


def test_versions_that_jump_within_one_append_are_refused(dsn: str, connection: Connection[Any]) -> None:
    before = everything(connection)
    with opened_log(dsn) as log, pytest.raises(IntegrityError):
        save(log, listed(an_owner(1), 1), listed(an_owner(1), 3))

    assert everything(connection) == before


def test_of_two_who_continue_one_stream_at_once_one_is_told_so(dsn: str, connection: Connection[Any]) -> None:
    owner = an_owner(1)
    with opened_log(dsn) as log, ThreadPoolExecutor(2) as threads:
        together = threading.Barrier(2)

        def continue_it(event: Event) -> str:
            together.wait()
            try:
                save(log, event)
            except IntegrityError:
                return "moved on"
            return "stored"

        for version in range(1, 21):
            answers = threads.map(continue_it, [listed(owner, version), listed(owner, version)])
            assert sorted(answers) == ["moved on", "stored"]

    versions = connection.execute("SELECT version FROM event ORDER BY pos").fetchall()
    assert versions == [(version,) for version in range(1, 21)]


def test_an_append_that_the_server_breaks_off_says_so_and_leaves_nothing(
    dsn: str, connection: Connection[Any]
) -> None:
    with opened_log(dsn) as log, ThreadPoolExecutor(1) as threads:
        before = everything(connection)
        with Connection.connect(dsn) as other:
            other.execute("SELECT FROM part_head FOR UPDATE")
            saving = threads.submit(save, log, listed(an_owner(1)))

            connection.execute("SELECT pg_terminate_backend(%s)", (wait_until_somebody_waits(connection),))

            with pytest.raises(OperationalError):
                saving.result(20)
        assert everything(connection) == before

        assert save(log, listed(an_owner(1))) == [Place(1, 1)], "the next one finds a new connection"


def test_what_stands_beside_the_events_is_stored_with_them(dsn: str, connection: Connection[Any]) -> None:
    event, payload = granted(), a_payload()
    with opened_log(dsn) as log:
        (place,) = save(
            log,
            event,
            beside=Beside(
                narrows=True,
                consents=b"folded",
                payloads=[payload],
                claims=[Claim(b"\x03" * 32, event.patient)],
            ),
        )

    (head,) = connection.execute(
        "SELECT part, patient_id, guard_pos, consents, consents_key FROM patient_head"
    ).fetchall()
    assert head[:3] == (place.part, event.patient, place.pos)
    assert unseal_consents(data_keys(connection)[head[4]], event.patient, head[3]) == b"folded"
    assert opened_payloads(connection) == {payload.payload_id: b"received"}
    assert connection.execute("SELECT digest, patient_id FROM identifier").fetchall() == [
        (b"\x03" * 32, event.patient)
    ]
