"""Two hundred events that cannot be applied among a hundred thousand that can: in decoding, folding and merging.

Just those patients must wait, each at her event, and an operator must see that. Everybody else must be current. When
the code is put right, all that waited must come to what a rebuild gives.
"""

import os
import string
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

import msgspec
from eventsourcing.persistence import JSONTranscoder, StoredEvent
from psycopg import Connection
from structlog.testing import capture_logs

from examples import CLINIC, HOSPITAL, NOON, SIX, granted
from log_examples import PARTS, a_ring, an_owner, logins, opened_log
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.lives import append
from torture.tables import Folded, Tables, differing, dump, stored
from tsuzuri.app.projector import Projector
from tsuzuri.domain.events import ConsentGranted, Event, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Write
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.following import heads
from tsuzuri.eventlog.mapper import EventMapper, MappedEvent, event_mapper
from tsuzuri.eventlog.places import part_of
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.checkpoints import checkpoint
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.opening import Step
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.replaying import retry
from tsuzuri.projections.rows import Look, Recorded, Rows
from tsuzuri.projections.standings import standings

NAME = "consent_register"
PATIENTS, EVENTS_EACH, POISONS = 1_000, 100, 200
VISIBLE_SECONDS_MAX = 5.0
CAUGHT_UP_SECONDS_MAX = 600.0
_UNHEARD_OF = "by-telepathy"  # a way to give consent at which the fold stumbles
_NUL = "card\x00reader"  # text that PostgreSQL does not take
_LONG = "".join(Random(1).choices(string.ascii_letters + string.digits, k=12_000))  # too much for an index


class Mended(EventMapper):
    """Reads the spelling of old that is planted, too: one class by itself instead of a list."""

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        if isinstance(stored_event, MappedEvent) and stored_event.topic == ConsentGranted.TOPIC:
            state = msgspec.json.decode(stored_event.state)
            if isinstance(state["classes"], str):
                state["classes"] = [state["classes"]]
                stored_event = replace(stored_event, state=msgspec.json.encode(state))
        return super().to_domain_event(stored_event)


def stumbling(projection: Projection) -> Projection:
    """The projection as it is before it is put right: the fold does not know one way to give consent."""

    def apply(rows: Rows, recorded: Recorded[Event]) -> None:
        if isinstance(recorded.event, ConsentGranted) and recorded.event.given == _UNHEARD_OF:
            raise LookupError("no such way to give consent")
        projection.apply(rows, recorded)

    return replace(projection, apply=apply)


def mended(projection: Projection) -> Projection:
    """Takes all that is planted, in a form in which the tables take it."""

    def taken(event: Event) -> Event:
        if not isinstance(event, ConsentGranted):
            return event
        return replace(event, given=event.given.replace("\0", "-"), facility=event.facility[:10])

    def apply(rows: Rows, recorded: Recorded[Event]) -> None:
        projection.apply(rows, replace(recorded, event=taken(recorded.event)))

    def looks(event: Event) -> Sequence[Look]:
        return projection.looks(taken(event))

    return replace(projection, apply=apply, looks=looks)


@dataclass
class Planted:
    """Who has to stop: at which version of her stream, and at which step; and how many events were planted."""

    first: dict[UUID, tuple[int, Step]] = field(default_factory=dict)
    events: int = 0

    def note(self, patient: UUID, version: int, step: Step) -> None:
        self.events += 1
        self.first[patient] = min(self.first.get(patient, (version, step)), (version, step))


def _mended_mapper() -> Mended:
    return Mended(transcoder=JSONTranscoder())


def write_log(dsn: str, random: Random, patients: int, poisons: int) -> Planted:
    """A hundred consents for each patient, in as many turns; the poisons are anybody's, at any turn."""
    places = random.sample([(n, v) for n in range(patients) for v in range(1, EVENTS_EACH + 1)], poisons)
    steps = {place: list(Step)[number % len(Step)] for number, place in enumerate(places)}
    planted, mapper = Planted(), event_mapper()
    with opened_log(dsn, connections=2) as log:
        for version in range(1, EVENTS_EACH + 1):
            writes = []
            for number in range(patients):
                event = _consent(random, number, version)
                if (step := steps.get((number, version))) is None:
                    writes.append(Write([mapper.to_stored_event(event)]))
                else:
                    planted.note(an_owner(number), version, step)
                    writes.append(Write([_poisoned(event, step, mapper, random)]))
            append(log, writes)
    return planted


def _consent(random: Random, number: int, version: int) -> ConsentGranted:
    patient = an_owner(number)
    return granted(
        originator_id=originator(patient, Stream.CONSENT),
        originator_version=version,
        event_id=UUID(int=random.getrandbits(128), version=4),
        patient=patient,
        facility=random.choice([CLINIC, HOSPITAL]),
        classes=(random.choice(SIX),),
        until=NOON + timedelta(hours=version),
    )


def _poisoned(event: ConsentGranted, step: Step, mapper: EventMapper, random: Random) -> MappedEvent:
    """Sealed like any other, and wrong within."""
    match step:
        case Step.DECODE:
            found = mapper.to_stored_event(event)
            state = msgspec.json.decode(found.state) | {"classes": str(event.classes[0])}
            return replace(found, state=msgspec.json.encode(state))
        case Step.FOLD:
            return mapper.to_stored_event(replace(event, given=_UNHEARD_OF))
        case Step.MERGE:
            text = replace(event, given=_NUL)
            index = replace(event, facility=event.facility + _LONG)
            return mapper.to_stored_event(random.choice([text, index]))


@contextmanager
def projecting(dsn: str, projection: Projection) -> Iterator[None]:
    """A projector at work with this projection in place of the one of its name."""
    projector = Projector(logins(dsn), a_ring())
    worker = threading.Thread(target=projector.run)
    with patch.dict(PROJECTIONS, {projection.name: projection}), capture_logs():
        worker.start()
        try:
            yield
        finally:
            projector.stopping.set()
            worker.join()


class Watch:
    """What an operator sees while the projector is at work, held against whom the checkpoint has passed."""

    def __init__(self, connection: Connection[Any], stops: dict[UUID, int]) -> None:
        self.connection = connection
        self.stops = stops
        self.longest_seconds = 0.0

    def until_caught_up(self) -> list[str]:
        deadline = time.monotonic() + CAUGHT_UP_SECONDS_MAX
        since = time.monotonic()  # when all who were due were seen the last time
        while time.monotonic() < deadline:
            due, asked = self._due(), time.monotonic()
            standing = next(one for one in standings(self.connection) if one.name == NAME)
            if standing.quarantined >= due:
                if standing.lag_events == 0 and due == len(self.stops):
                    return []
                since = asked
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - since)
            if self.longest_seconds > VISIBLE_SECONDS_MAX:
                return [
                    f"an operator sees {standing.quarantined} patients quarantined where {due} have to be"
                ]
            time.sleep(0.05)
        return ["the projector did not catch up"]

    def _due(self) -> int:
        """How many patients the checkpoint has passed at their first poison."""
        stands = checkpoint(self.connection, NAME, live_generation(self.connection, NAME))
        return sum(stands[part_of(patient, PARTS)] >= pos for patient, pos in self.stops.items())


def positions(connection: Connection[Any], planted: Planted) -> dict[UUID, int]:
    """Where each patient's first poison lies in her part."""
    found = connection.execute(
        """SELECT e.patient_id, e.pos FROM unnest(%s::uuid[], %s::integer[]) AS n (patient_id, version)
           JOIN event e USING (patient_id, version) WHERE e.stream = %s""",
        (list(planted.first), [version for version, _ in planted.first.values()], Stream.CONSENT.value),
    )
    return dict(found.fetchall())


def not_just_those(connection: Connection[Any], planted: Planted, stops: dict[UUID, int]) -> list[str]:
    """Everybody who waits and need not, who does not wait and has to, or who waits at the wrong place."""
    found = {one.patient_id: (one.pos, one.step) for one in quarantined(connection)}
    wanted = {patient: (stops[patient], str(step)) for patient, (_, step) in planted.first.items()}
    return [
        f"{len(who)} patients {how}"
        for how, who in {
            "are quarantined without a reason": found.keys() - wanted.keys(),
            "should be quarantined and are not": wanted.keys() - found.keys(),
            "stopped at another event or step": {
                one for one in found.keys() & wanted.keys() if found[one] != wanted[one]
            },
        }.items()
        if who
    ]


def tormented(folder: Path, share: float, *, forgetful: bool) -> Outcome:
    patients, poisons = (max(5, round(number * share)) for number in (PATIENTS, POISONS))
    seed = int.from_bytes(os.urandom(4))
    right, broken = mended(PROJECTIONS[NAME]), stumbling(PROJECTIONS[NAME])
    with fresh_log(folder) as dsn, logins(dsn).connect(LogRole.PROJECTOR) as connection:
        planted = write_log(dsn, Random(seed), patients, poisons)
        stops = positions(connection, planted)
        watch = Watch(connection, stops)
        drops = (
            patch("tsuzuri.projections.engine.quarantine", lambda *_: None) if forgetful else nullcontext()
        )
        with drops, projecting(dsn, broken):
            faults = watch.until_caught_up()
        faults += not_just_those(connection, planted, stops)
        folded = Folded(connection, _mended_mapper())
        live = live_generation(connection, NAME)
        faults += _told(
            "is not what came before", stored(connection, right, live), folded.tables(right, stops)
        )
        faults += _mend(connection, right, folded.tables(right))
        events = sum(heads(connection).values())
    told = f"{events:,} events of {patients:,} patients (seed {seed}), {planted.events} cannot be applied"
    seen = f"{len(stops)} patients quarantined, seen within {watch.longest_seconds:.1f} s"
    return Outcome(f"{told}, {seen}", faults)


def _mend(connection: Connection[Any], right: Projection, wanted: Tables) -> list[str]:
    """Try everybody again with the code that was put right, then compare with a rebuild."""
    engine, live = Engine(_mended_mapper(), a_ring()), live_generation(connection, NAME)
    stopped = sum(
        not retry(connection, engine, right, live, one.patient_id) for one in quarantined(connection, NAME)
    )
    faults = [f"{stopped} patients stop again, although all was put right"] if stopped else []
    if left := len(quarantined(connection)):
        faults.append(f"{left} patients are still quarantined")
    faults += _told("after it was tried again is wrong", stored(connection, right, live), wanted)
    before = sha256(dump(connection, right, live)).hexdigest()
    rebuilt = rebuild(connection, engine, right)
    assert rebuilt.comparison is not None
    if not rebuilt.comparison.equal:
        faults.append(f"a rebuild differs in {len(rebuilt.comparison.differing)} patients")
    elif sha256(dump(connection, right, rebuilt.generation)).hexdigest() != before:
        faults.append("the tables of a rebuild are not the same bytes")
    return faults


def _told(what: str, found: Tables, wanted: Tables) -> list[str]:
    wrong = differing(found, wanted)
    return [f"what {len(wrong)} patients have {what}"] if wrong else []


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, forgetful=False)


def dropping(folder: Path, share: float) -> Outcome:
    """What comes behind a poison is applied in the next batch, as if nothing were missing."""
    return tormented(folder, min(share, 0.05), forgetful=True)


TORTURE = Torture("poison", run, {"an engine that drops what it cannot apply": dropping})
