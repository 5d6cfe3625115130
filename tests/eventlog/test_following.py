"""Reading on from any checkpoint: each wanted event once, in the order of its part, and none passed over."""

from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from examples import PATIENT, granted, withdrawn
from log_examples import an_owner, listed, opened_log, save, trail_read
from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn, Event, FacilityListed, TrailRead
from tsuzuri.eventlog.following import Batch, follow, heads
from tsuzuri.eventlog.places import Vector

TOPICS = (FacilityListed.TOPIC, TrailRead.TOPIC, ConsentGranted.TOPIC, ConsentWithdrawn.TOPIC, "never-seen")
Seen = tuple[int, int, str]


def fill(dsn: str) -> None:
    """Some 80 events, unevenly over three of the four parts."""
    rng = Random(11)
    versions: dict[int, int] = {}
    with opened_log(dsn) as log:
        save(log, granted(), withdrawn())
        for _ in range(40):
            batch: list[Event] = []
            for number in rng.choices((0, 3, 4), k=2):
                if rng.random() < 0.5:
                    batch.append(trail_read(an_owner(number)))
                else:
                    versions[number] = versions.get(number, 0) + 1
                    batch.append(listed(an_owner(number), versions[number]))
            save(log, *batch)


def in_the_log(connection: Connection[Any]) -> list[Seen]:
    return connection.execute("SELECT part, pos, topic FROM event ORDER BY part, pos").fetchall()


def batches(
    connection: Connection[Any], after: Vector, upto: Vector, topics: list[str], limit: int
) -> Iterator[Batch]:
    """Batch after batch, each behind what the one before it covers."""
    while True:
        batch = follow(connection, after, upto=upto, topics=topics, limit=limit)
        if batch.covers == after:
            assert batch.events == []
            return
        yield batch
        after = batch.covers


def test_every_wanted_event_comes_once_from_anywhere_in_any_portions(
    dsn: str, connection: Connection[Any]
) -> None:
    fill(dsn)
    stored, ends = in_the_log(connection), heads(connection)

    @settings(max_examples=120, deadline=None)
    @given(
        after=st.fixed_dictionaries({}, optional={part: st.integers(0, end) for part, end in ends.items()}),
        missing=st.fixed_dictionaries({part: st.integers(0, end) for part, end in ends.items()}),
        topics=st.lists(st.sampled_from(TOPICS), unique=True),
        limit=st.integers(1, 100),
    )
    def reads_on(after: Vector, missing: Vector, topics: list[str], limit: int) -> None:
        upto = {part: max(after.get(part, 0), end - missing[part]) for part, end in ends.items()}
        wanted = [
            (part, pos, topic)
            for part, pos, topic in stored
            if topic in topics and after.get(part, 0) < pos <= upto[part]
        ]

        read: list[Seen] = []
        stands = after
        for batch in batches(connection, after, upto, topics, limit):
            events = [(event.part, event.pos, event.topic) for event in batch.events]
            assert events == sorted(events)
            read += events
            unread = set(wanted) - set(read)
            assert not [seen for seen in unread if seen[1] <= batch.covers.get(seen[0], 0)]
            assert all(batch.covers[part] >= pos for part, pos in stands.items())
            assert all(batch.covers[part] <= upto[part] for part in batch.covers)
            stands = batch.covers

        assert sorted(read) == wanted
        for part in ends:
            mine = [seen for seen in read if seen[0] == part]
            assert mine == sorted(mine)
            assert stands.get(part, 0) == upto[part]

    reads_on()


def test_a_followed_event_is_what_was_appended(dsn: str, connection: Connection[Any]) -> None:
    with opened_log(dsn) as log:
        (place,) = save(log, granted())

        batch = follow(connection, {}, upto=heads(connection), topics=[ConsentGranted.TOPIC], limit=10)

        (event,) = batch.events
        assert (event.part, event.pos) == (place.part, place.pos)
        assert (event.patient_id, event.stream, event.version) == (PATIENT, 2, 1)
        assert event.event_id == granted().event_id
        assert event.opened(log.part_recorder.ring) == log.mapper.to_stored_event(granted())


def test_a_part_full_of_other_topics_does_not_hold_the_follower_up(
    dsn: str, connection: Connection[Any]
) -> None:
    with opened_log(dsn) as log:
        save(log, *(trail_read(an_owner(1)) for _ in range(30)))

    batch = follow(connection, {}, upto=heads(connection), topics=[FacilityListed.TOPIC], limit=1)

    assert batch.events == []
    assert batch.covers[1] == 30


def test_a_batch_holds_no_more_than_its_limit_or_one_a_part(dsn: str, connection: Connection[Any]) -> None:
    fill(dsn)
    behind = sum(1 for end in heads(connection).values() if end)

    for limit in (1, 3, 4, 5):
        for batch in batches(
            connection, {}, heads(connection), [FacilityListed.TOPIC, TrailRead.TOPIC], limit
        ):
            assert len(batch.events) <= max(limit, behind)


def test_an_event_appended_meanwhile_comes_with_the_next_look(dsn: str, connection: Connection[Any]) -> None:
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1), 1))
        upto = heads(connection)
        save(log, listed(an_owner(1), 2), listed(an_owner(2), 1))

        first = follow(connection, {}, upto=upto, topics=[FacilityListed.TOPIC], limit=100)
        second = follow(
            connection, first.covers, upto=heads(connection), topics=[FacilityListed.TOPIC], limit=100
        )

    assert [(event.part, event.pos) for event in first.events] == [(1, 1)]
    assert [(event.part, event.pos) for event in second.events] == [(1, 2), (2, 1)]
