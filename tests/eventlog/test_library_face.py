"""The eventsourcing library's own face: plain events in, the same events out, in this process or another."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from eventsourcing.persistence import MapperDeserialisationError
from eventsourcing.utils import register_topic
from psycopg import Connection

from examples import PATIENT, granted, withdrawn
from log_examples import an_owner, listed, opened_log, save, trail_read
from tsuzuri.domain.events import Event, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.mapper import MappedEvent

TESTS = Path(__file__).parents[1]
READ_BACK = """
import sys
from log_examples import opened_log
with opened_log(sys.argv[1]) as log:
    for stored in log.recorder.select_events(sys.argv[2]):
        print(stored.topic, log.mapper.to_domain_event(stored))
"""


@dataclass(frozen=True, kw_only=True)
class AddressChanged(Event):
    """A test's own event. Version 1 had one `address`; version 2 has its two parts."""

    TOPIC = "test-address-changed"
    STREAM = Stream.RECORD
    class_version: ClassVar[int] = 2

    prefecture: str
    rest: str
    house: int = 0

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["prefecture"], state["rest"] = state.pop("address").split(" ", 1)


register_topic(AddressChanged.TOPIC, AddressChanged)


def test_another_process_reads_a_saved_event_back_by_its_topic(dsn: str, connection: Connection[Any]) -> None:
    events = [granted(), withdrawn()]
    with opened_log(dsn) as log:
        save(log, *events)

    command = [sys.executable, "-c", READ_BACK, dsn, originator(PATIENT, Stream.CONSENT)]
    printed = subprocess.run(
        command, cwd=TESTS, capture_output=True, text=True, check=True, timeout=60
    ).stdout

    topics = [topic for (topic,) in connection.execute("SELECT topic FROM event ORDER BY pos").fetchall()]
    assert topics == ["consent-granted", "consent-withdrawn"], "a name of its own, no path into the code"
    assert printed.splitlines() == [f"{topic} {event}" for topic, event in zip(topics, events, strict=True)]


def test_what_is_read_back_is_equal_to_what_was_saved(dsn: str) -> None:
    owner = an_owner(1)
    events = [
        listed(owner, 1),
        listed(owner, 2, name="試験病院", departments=("内科", "外科"), emergency=True),
    ]
    looked = [trail_read(owner), trail_read(owner, patient=PATIENT)]
    with opened_log(dsn) as log:
        save(log, *events, *looked)

        records = log.recorder.select_events(originator(owner, Stream.RECORD))
        accesses = log.recorder.select_events(originator(owner, Stream.ACCESS))

        assert [log.mapper.to_domain_event(stored) for stored in records] == events
        assert [log.mapper.to_domain_event(stored) for stored in accesses] == looked


def test_a_part_of_a_stream_is_selected_as_the_library_does(dsn: str) -> None:
    owner = an_owner(1)
    with opened_log(dsn) as log:
        save(log, *(listed(owner, version) for version in range(1, 8)))

        def versions(**bounds: Any) -> list[int]:
            found = log.recorder.select_events(originator(owner, Stream.RECORD), **bounds)
            return [stored.originator_version for stored in found]

        assert versions() == [1, 2, 3, 4, 5, 6, 7]
        assert versions(gt=2) == [3, 4, 5, 6, 7]
        assert versions(gt=2, lte=5) == [3, 4, 5]
        assert versions(gt=2, lte=5, desc=True, limit=2) == [5, 4]
        assert versions(lte=0) == []
        assert list(log.recorder.select_events(originator(owner, Stream.CONSENT))) == []


def test_a_version_is_no_bound_in_the_access_stream(dsn: str) -> None:
    with opened_log(dsn) as log, pytest.raises(ValueError, match="follow"):
        log.recorder.select_events(originator(an_owner(1), Stream.ACCESS), gt=0)


def test_an_old_state_is_read_as_the_event_of_today(dsn: str) -> None:
    owner = an_owner(1)
    name = originator(owner, Stream.RECORD)
    old = MappedEvent(name, 1, AddressChanged.TOPIC, '{"address":"埼玉県 川越市1-2"}'.encode(), UUID(int=1))
    new = AddressChanged(
        originator_id=name,
        originator_version=2,
        event_id=UUID(int=2),
        prefecture="東京都",
        rest="港区",
        house=3,
    )
    with opened_log(dsn) as log:
        log.recorder.insert_events([old])
        save(log, new)

        stored = log.recorder.select_events(name)
        events = [log.mapper.to_domain_event(one) for one in stored]

    assert events[0] == AddressChanged(
        originator_id=name, originator_version=1, event_id=UUID(int=1), prefecture="埼玉県", rest="川越市1-2"
    )
    assert events[1] == new
    assert b'"class_version":2' in stored[1].state


def test_a_state_that_cannot_be_read_is_named_and_not_repeated(dsn: str) -> None:
    name = originator(an_owner(1), Stream.RECORD)
    broken = MappedEvent(name, 1, "facility-listed", b'{"facility":["secret"]}', UUID(int=1))
    with opened_log(dsn) as log:
        log.recorder.insert_events([broken])
        (stored,) = log.recorder.select_events(name)

        with pytest.raises(MapperDeserialisationError, match=str(UUID(int=1))) as raised:
            log.mapper.to_domain_event(stored)

    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
