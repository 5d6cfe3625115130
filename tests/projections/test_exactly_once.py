"""Each event is applied exactly once, whatever is killed when: batch and checkpoint are one transaction."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from random import Random
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.errors import UndefinedTable

from examples import CLINIC, HOSPITAL, NOON, SIX, granted, withdrawn
from log_examples import KEYS, an_owner, opened_log, save
from projection_examples import BUNDLE_SYSTEM, an_engine, bundle_value, live_rows, rebuilt
from tsuzuri.domain.corrections import cancel
from tsuzuri.domain.events import Event, Identifier, Unit, originator
from tsuzuri.domain.identifiers import INSURED_PERSON_SYSTEM
from tsuzuri.domain.record import Demographics, Document, Entry
from tsuzuri.domain.registrations import Intake, PatientRecord, evolve, identify, outcome, register
from tsuzuri.domain.units import dump_document, dump_entries
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass, Stream
from tsuzuri.eventlog.appending import Beside, Payload
from tsuzuri.eventlog.data_keys import KeyUse
from tsuzuri.eventlog.following import heads
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.checkpoints import checkpoint
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.record_rows import EntryRow

EVENTS_EACH = 20
BATCH_EVENTS = 32
KILLS = 5
BATCHES_BETWEEN_KILLS_MAX = 8  # of the some 60 there are
KILLED_OVER = ("identities", "consent_register", "record_index")

CATCH_UP = """
import sys
from pathlib import Path
from psycopg import Connection
from tsuzuri.app.key_file import KeyFile
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import live_generation

def report(progress):
    if progress.events:
        print("a batch is applied", flush=True)


ring = KeyRing(KeyFile(Path(sys.argv[2])))
engine = Engine(event_mapper(), ring, batch_events=int(sys.argv[3]))
with Connection.connect(sys.argv[1], autocommit=True) as connection:
    for name in sys.argv[4:]:
        engine.catch_up(connection, PROJECTIONS[name], live_generation(connection, name), on_progress=report)
"""


class Chart:
    """One patient's made-up life, as the events it consists of and the payloads beside them."""

    def __init__(self, number: int, rng: Random):
        self.rng, self.record = rng, PatientRecord(an_owner(number))
        self.consent_version = 0
        self.payloads: list[Payload] = []

    def an_id(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128))

    def events(self, count: int) -> Iterator[Event]:
        for _ in range(count):
            kind = self.rng.choice(["consent", "cancel", *["bundle"] * 6])
            if self.record.version == 0:
                yield self.remember(self.identified())
            elif kind == "consent":
                yield self.consent()
            elif kind == "cancel" and (event := self.cancelled()) is not None:
                yield self.remember(event)
            else:
                yield self.remember(self.bundle())

    def remember(self, event: Any) -> Event:
        self.record = evolve(self.record, event)
        assert isinstance(event, Event)
        return event

    def identified(self) -> Event | None:
        number = Identifier(system=INSURED_PERSON_SYSTEM, value=f"{self.record.patient.int % 10**8:08}:::")
        return identify(
            self.record,
            event_id=self.an_id(),
            facility=CLINIC,
            identifiers=(number,),
            disputed=(),
            demographics=Demographics(name="試験 花子"),
        )

    def consent(self) -> Event:
        self.consent_version += 1
        whose: dict[str, Any] = {
            "originator_id": originator(self.record.patient, Stream.CONSENT),
            "originator_version": self.consent_version,
            "event_id": self.an_id(),
            "patient": self.record.patient,
            "facility": self.rng.choice([CLINIC, HOSPITAL]),
            "classes": tuple(self.rng.sample(SIX, 3)),
        }
        return self.rng.choice([granted, withdrawn])(**whose)

    def cancelled(self) -> Event | None:
        held = [key for key, one in self.record.documents.items() if not one.cancelled]
        if not held:
            return None
        return cancel(
            self.record, self.rng.choice(held), facility=CLINIC, reason="", sender="", event_id=self.an_id()
        )

    def bundle(self) -> Event:
        document = Document(
            kind=DocumentKind.CONDITIONS,
            system=BUNDLE_SYSTEM,
            value=bundle_value(self.rng.choice("abc")),
            timestamp=NOON + timedelta(minutes=self.record.version),
            facility=CLINIC,
            title="傷病名",
        )
        digest = sha256(self.an_id().bytes).hexdigest()
        assert outcome(self.record, document, digest) in ("REGISTERED", "REPLACED")
        entries = [self.entry(key) for key in self.rng.sample("pqrst", 3)]
        body = Payload(self.an_id(), dump_entries(entries), self.an_id(), KeyUse.UNIT)
        head = Payload(self.an_id(), dump_document(document), self.an_id(), KeyUse.DOCUMENT)
        self.payloads += [body, head]
        unit = Unit(record_class=RecordClass.CONDITION, payload=body.payload_id, sha256="", entries=3)
        intake = Intake(
            received=self.an_id(),
            received_sha256=digest,
            received_bytes=0,
            head=head.payload_id,
            units=(unit,),
            sender="clinic-system",
            rules="shape 1 0",
        )
        return register(self.record, document, intake, event_id=self.an_id())

    def entry(self, key: str) -> Entry:
        flags = (Flag.UNINFORMED,) if self.rng.random() < 0.1 else ()
        return Entry(
            key=key,
            record_class=RecordClass.CONDITION,
            resource_type="Condition",
            resource_place=1,
            name=f"傷病名 {key}\t\\N",  # what COPY must not take for something else
            facility=CLINIC,
            flags=flags,
        )


@pytest.fixture
def seed() -> int:
    drawn = random.randrange(1 << 32)
    print(f"seed {drawn}")
    return drawn


def fill(dsn: str, seed: int, *, patients: int) -> None:
    """Twenty events for each patient; no projection has applied any."""
    with opened_log(dsn) as log:
        for number in range(patients):
            chart = Chart(number, Random(f"{seed}/{number}"))
            for _ in range(2):
                events = list(chart.events(EVENTS_EACH // 2))
                save(log, *events, beside=Beside(payloads=chart.payloads))
                chart.payloads = []


def catching_up(dsn: str) -> subprocess.Popen[str]:
    keys = KEYS / "encryption.keys"
    command = [sys.executable, "-c", CATCH_UP, dsn, str(keys), str(BATCH_EVENTS), *KILLED_OVER]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def applied(connection: Connection[Any]) -> int:
    return sum(sum(checkpoint(connection, name, 1).values()) for name in KILLED_OVER)


def test_a_projector_that_is_killed_again_and_again_applies_each_event_once(
    dsn: str, seed: int, connection: Connection[Any]
) -> None:
    fill(dsn, seed, patients=100)
    rng = Random(seed)
    total = sum(heads(connection).values()) * len(KILLED_OVER)
    stands = [applied(connection)]
    for _ in range(KILLS):
        with catching_up(dsn) as projector:
            assert projector.stdout is not None
            for _ in range(rng.randint(1, BATCHES_BETWEEN_KILLS_MAX)):
                assert projector.stdout.readline()
            time.sleep(rng.uniform(0, 0.02))

            projector.send_signal(signal.SIGKILL)

            assert projector.wait(20) == -signal.SIGKILL, "it was still at work"
        stands.append(applied(connection))
    assert stands == sorted(set(stands)), "each one got on"
    assert stands[-1] < total

    with catching_up(dsn) as last:
        last.communicate(timeout=120)
        assert last.returncode == 0

    assert applied(connection) == total
    for name in KILLED_OVER:
        comparison = rebuilt(connection, PROJECTIONS[name])
        assert comparison.equal, name
        assert comparison.rows >= 100, name


def test_two_projectors_at_once_apply_each_event_once(
    dsn: str, seed: int, connection: Connection[Any]
) -> None:
    fill(dsn, seed, patients=15)
    index = PROJECTIONS["record_index"]
    together = Barrier(2)

    def one(batch_events: int) -> int:
        """How many events this one applied."""
        done: list[int] = []
        with Connection.connect(dsn, autocommit=True) as own:
            together.wait()
            an_engine(batch_events).catch_up(
                own, index, 1, on_progress=lambda progress: done.append(progress.events)
            )
        return sum(done)

    with ThreadPoolExecutor(2) as threads:
        counts = list(threads.map(one, (10, 20)))

    wanted = connection.execute(
        "SELECT count(*) FROM event WHERE topic = ANY (%s)", ([event.TOPIC for event in index.events],)
    ).fetchone()
    assert wanted == (sum(counts),)
    assert min(counts) > 0
    assert rebuilt(connection, index).equal


def test_a_batch_that_fails_leaves_neither_rows_nor_checkpoint(
    dsn: str, seed: int, connection: Connection[Any]
) -> None:
    fill(dsn, seed, patients=20)
    index = PROJECTIONS["record_index"]
    an_engine(80).step(connection, index, live_generation(connection, index.name))
    rows, stands = live_rows(connection, index.name, EntryRow), checkpoint(connection, index.name, 1)
    connection.execute("ALTER TABLE record_index_g1.entry RENAME TO elsewhere")

    with pytest.raises(UndefinedTable):
        an_engine(5_000).step(connection, index, 1)

    connection.execute("ALTER TABLE record_index_g1.elsewhere RENAME TO entry")
    assert live_rows(connection, index.name, EntryRow) == rows
    assert checkpoint(connection, index.name, 1) == stands
