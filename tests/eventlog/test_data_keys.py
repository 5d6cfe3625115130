"""Each stream has one key in force, whoever makes it first; without it nothing of the stream is read."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError
from psycopg import Connection

from examples import CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, NOON, NUMBER, a_bundle, granted
from log_examples import (
    Run,
    a_payload,
    an_owner,
    begin_append,
    data_keys,
    destroy_key,
    everything,
    listed,
    logins,
    opened_events,
    opened_log,
    opened_payloads,
    save,
    trail_read,
    wait_until_somebody_waits,
)
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.key_file import KeyFile, new_epoch
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Event, originator
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Stream
from tsuzuri.eventlog.appending import Beside, Write
from tsuzuri.eventlog.data_keys import KeyChanged, KeyRing, KeyUnavailable, KeyUse
from tsuzuri.eventlog.log import LogApplication
from tsuzuri.eventlog.mapper import ErasedEvent, MappedEvent, event_mapper
from tsuzuri.eventlog.places import Place
from tsuzuri.eventlog.sealed_writes import SealedWrite

HERE, BESIDE_HER = an_owner(1), an_owner(5)  # two owners of one part


def uses(connection: Connection[Any]) -> Counter[str]:
    """How many keys there are of each use."""
    return Counter(use for (use,) in connection.execute("SELECT use FROM data_key").fetchall())


# --- one key for each stream


def test_the_first_append_of_a_stream_makes_its_key_and_the_next_one_uses_it(
    dsn: str, connection: Connection[Any]
) -> None:
    with opened_log(dsn) as log, opened_log(dsn) as another:
        save(log, listed(HERE, 1))
        save(log, listed(HERE, 2))
        save(another, listed(HERE, 3))

    assert uses(connection) == {"record": 1}
    assert connection.execute("SELECT count(DISTINCT key_id) FROM event").fetchall() == [(1,)]


def test_each_stream_and_each_payload_has_a_key_of_its_own(dsn: str, connection: Connection[Any]) -> None:
    document = [a_payload(b"received", KeyUse.DOCUMENT), a_payload(b"entries", KeyUse.UNIT)]
    with opened_log(dsn) as log:
        save(log, listed(HERE, 1), trail_read(HERE), trail_read(HERE), beside=Beside(payloads=document))
        save(log, granted(originator_id=originator(HERE, Stream.CONSENT)), beside=Beside(consents=b"folded"))

    assert uses(connection) == {"record": 1, "access": 1, "consent": 1, "document": 1, "unit": 1}
    assert len(set(data_keys(connection).values())) == 5
    assert {payload.payload_id: payload.body for payload in document} == opened_payloads(connection)


# --- several processes, one key


def test_of_two_processes_that_begin_a_stream_at_once_the_later_takes_the_key_of_the_earlier(
    dsn: str, connection: Connection[Any]
) -> None:
    with opened_log(dsn) as log, ThreadPoolExecutor(1) as threads:
        with Connection.connect(dsn) as first:
            begin_append(first, trail_read(HERE))
            second = threads.submit(save, log, trail_read(HERE))
            wait_until_somebody_waits(connection)
            first.commit()

        assert second.result(20) == [Place(1, 2)]
    assert uses(connection) == {"access": 1}
    assert all(isinstance(event, MappedEvent) for event in opened_events(connection))


def test_many_streams_that_two_processes_begin_at_once_have_one_key_each_and_are_read(
    dsn: str, connection: Connection[Any]
) -> None:
    owners = [an_owner(number) for number in range(40)]
    together = threading.Barrier(2)

    def begin_all(log: LogApplication) -> None:
        for owner in owners:
            together.wait(20)
            save(log, trail_read(owner), trail_read(an_owner(owner.int % 7)))

    with opened_log(dsn) as one, opened_log(dsn) as other, ThreadPoolExecutor(2) as threads:
        list(threads.map(begin_all, [one, other]))

    events = opened_events(connection)
    assert len(events) == 4 * len(owners)
    assert all(isinstance(event, MappedEvent) for event in events)
    keys = connection.execute("SELECT patient_id, count(*) FROM data_key GROUP BY 1").fetchall()
    assert {count for _, count in keys} == {1} and {owner for owner, _ in keys} >= set(owners)


def test_who_holds_a_key_that_another_process_destroyed_seals_anew(
    dsn: str, connection: Connection[Any]
) -> None:
    lost, kept, later = listed(HERE, 1), trail_read(HERE), [listed(HERE, 3), listed(HERE, 4)]
    with opened_log(dsn) as log:
        save(log, lost, kept)
        destroy_key(dsn, HERE, Stream.RECORD, version=2)

        assert save(log, later[0]) == [Place(1, 4)]
        assert save(log, later[1]) == [Place(1, 5)]

        first, erasure, *others = log.events.get(originator(HERE, Stream.RECORD))
    assert type(first).__name__ == "Erased" and type(erasure).__name__ == "RecordErased"
    assert others == later
    assert [isinstance(event, ErasedEvent) for event in opened_events(connection)] == [True] + 4 * [False]


def test_consents_that_were_folded_before_their_key_was_destroyed_are_to_be_folded_again(
    run: Run, dsn: str
) -> None:
    given = originator(HERE, Stream.CONSENT)

    async def story(services: Services) -> None:
        await services.log.save(granted(originator_id=given), beside=Beside(consents=b"first"))
        destroy_key(dsn, HERE, Stream.CONSENT, version=1)
        second = granted(originator_id=given, originator_version=2, event_id=uuid4())

        with pytest.raises(IntegrityError):
            await services.log.save(second, beside=Beside(consents=b"first and second"))
        assert (await services.log.head(HERE)).consents is None

        await services.log.save(second, beside=Beside(consents=b"second"))
        assert (await services.log.head(HERE)).consents == b"second"

    run(story)


# --- keys that are not hers


@pytest.mark.parametrize("key", ["unknown", "foreign", "destroyed"])
@pytest.mark.parametrize("what", ["event", "events", "consents", "payloads"])
def test_an_append_under_a_key_that_is_not_in_force_is_refused_and_writes_nothing(
    dsn: str, connection: Connection[Any], what: str, key: str
) -> None:
    with opened_log(dsn) as log:
        save(log, listed(HERE, 1), listed(BESIDE_HER, 1))
        destroy_key(dsn, HERE, Stream.RECORD, version=2)
        keys = dict(connection.execute("SELECT patient_id, key_id FROM event WHERE version = 1").fetchall())
        wrong = {"unknown": uuid4(), "foreign": keys[BESIDE_HER], "destroyed": keys[HERE]}[key]
        sealed = sealed_under(wrong, log, what)
        before = everything(connection)

        with pytest.raises(KeyChanged):
            log.part_recorder.append_sealed([sealed])

    assert everything(connection) == before


def sealed_under(key: UUID, log: LogApplication, what: str) -> SealedWrite:
    """A write of HERE of which one row names *key*, and brings none."""
    events: list[Event] = [listed(HERE, 3)] if what == "event" else [listed(HERE, 3), trail_read(HERE)]
    beside = Beside(consents=b"folded", payloads=[a_payload()])
    (sealed,) = log.part_recorder.seal([Write([event_mapper().to_stored_event(e) for e in events], beside)])
    sealed = replace(
        sealed, new_keys=[new for new in sealed.new_keys if what != "payloads" or new.use != "unit"]
    )

    rows, column = {"consents": ("consents", 2), "payloads": ("payloads", 3)}.get(what, ("events", 6))
    *others, last = getattr(sealed, rows)
    return replace(sealed, **{rows: [*others, (*last[:column], key, *last[column + 1 :])]})


# --- without the keys there is nothing to read


def test_nothing_can_be_read_in_the_tables_without_the_keys(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await register_bundle(services, CLINIC_SYSTEM, a_bundle())
        classes, number = [RecordClass.CONDITION], InsuredPersonNumber.parse(NUMBER)
        await grant_consent(services, HOSPITAL_SYSTEM, number, HOSPITAL, classes, PurposeOfUse.TREAT, None)

    run(story)
    words = ["試験 花子", NUMBER, "1970-01-02", "上腹部痛", "20065011", HOSPITAL, "P-1", "clinic-system"]
    sealed = connection.execute(
        """SELECT state FROM event UNION ALL SELECT body FROM payload UNION ALL SELECT consents FROM patient_head
           UNION ALL SELECT wrapped FROM data_key UNION ALL SELECT digest FROM identifier"""
    ).fetchall()
    opened = [event.state for event in opened_events(connection)] + [*opened_payloads(connection).values()]

    assert [word for word in words if any(word.encode() in bytes(one) for (one,) in sealed)] == []
    assert [word for word in words if not any(word.encode() in one for one in opened)] == []


@pytest.mark.parametrize("number", [1, 2], ids=["another key of that epoch", "no key of that epoch"])
def test_without_the_right_key_of_the_epoch_nothing_is_read_and_nothing_counts_as_erased(
    dsn: str, connection: Connection[Any], tmp_path: Path, number: int
) -> None:
    (tmp_path / "other.keys").write_text(new_epoch(number).line())
    with opened_log(dsn) as log:
        save(log, listed(HERE, 1), trail_read(HERE))
    before = everything(connection)

    with closing(LogApplication(logins(dsn), KeyRing(KeyFile(tmp_path / "other.keys")))) as log:
        for stream in (Stream.RECORD, Stream.ACCESS):
            with pytest.raises(KeyUnavailable):
                list(log.events.get(originator(HERE, stream)))
        with pytest.raises(KeyUnavailable):
            save(log, listed(HERE, 2))

    assert everything(connection) == before


def test_a_key_that_was_made_but_not_stored_yet_outlives_the_epoch_it_was_made_under(
    dsn: str, tmp_path: Path
) -> None:
    """A process may hold it for long: an append that was refused brought none, and the next one brings it."""
    path = tmp_path / "encryption.keys"
    path.write_text(new_epoch(1, NOON).line())
    with closing(LogApplication(logins(dsn), KeyRing(KeyFile(path)))) as log:
        with pytest.raises(IntegrityError):
            save(log, listed(HERE, 7))
        KeyFile(path).add_epoch(NOON + timedelta(days=1))
        assert KeyFile(path).retire(set(), NOON + timedelta(days=2)) == [1]

        save(log, event := listed(HERE, 1))

    with closing(LogApplication(logins(dsn), KeyRing(KeyFile(path)))) as another:
        assert list(another.events.get(originator(HERE, Stream.RECORD))) == [event]
