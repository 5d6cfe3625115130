"""A log in which some events cannot be applied, and the code that reads it: before it is put right, and after."""

import string
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import JSONTranscoder, StoredEvent
from msgspec import structs
from psycopg import Connection

from examples import CLINIC, HOSPITAL, NOON, SIX, granted
from log_examples import an_owner, opened_log
from torture.lives import append
from tsuzuri.domain.events import ConsentGranted, Event, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Write
from tsuzuri.eventlog.mapper import EventMapper, MappedEvent, event_mapper
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.opening import Step
from tsuzuri.projections.rows import Look, Recorded, Rows

EVENTS_EACH = 100
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
        projection.apply(rows, structs.replace(recorded, event=taken(recorded.event)))

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


def mended_mapper() -> Mended:
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


def positions(connection: Connection[Any], planted: Planted) -> dict[UUID, int]:
    """Where each patient's first poison lies in her part."""
    found = connection.execute(
        """SELECT e.patient_id, e.pos FROM unnest(%s::uuid[], %s::integer[]) AS n (patient_id, version)
           JOIN event e USING (patient_id, version) WHERE e.stream = %s""",
        (list(planted.first), [version for version, _ in planted.first.values()], Stream.CONSENT.value),
    )
    return dict(found.fetchall())
