"""What is stored stays readable for ever: one stored state for every class of event, kept in golden_events.json.

They are the states before they are sealed. A line of the file is one state of the topic above it, oldest first; what
is sealed apart stands beside the rest, as a pair. The last is what is written today, byte for byte; the earlier
ones, from before a field was added, are only read. States are added and never edited:
`python tests/eventlog/test_golden_events.py` (with `src` and `tests` on the path) adds what today's code writes.
"""

from dataclasses import MISSING, fields, replace
from pathlib import Path

import msgspec
import pytest

from event_examples import EXAMPLES
from tsuzuri.domain.events import EVENTS, Event
from tsuzuri.eventlog.mapper import MappedEvent, event_mapper

GOLDEN = Path(__file__).with_name("golden_events.json")


Sections = tuple[bytes, bytes | None]
"""The state, and what of the event is sealed apart from it."""


def stored_states() -> dict[str, list[Sections]]:
    """Topic → its stored states, oldest first: the very bytes that stand in the file."""
    if not GOLDEN.exists():
        return {}
    lines = msgspec.json.decode(GOLDEN.read_bytes(), type=dict[str, list[msgspec.Raw]])
    return {topic: [sections(bytes(line)) for line in states] for topic, states in lines.items()}


def sections(line: bytes) -> Sections:
    if line.startswith(b"{"):
        return line, None
    state, apart = msgspec.json.decode(line, type=tuple[msgspec.Raw, msgspec.Raw])
    return bytes(state), bytes(apart)


def written(event: Event) -> Sections:
    """As it is written today, before it is sealed."""
    mapped = event_mapper().to_stored_event(event)
    return mapped.state, mapped.apart


def of(cls: type[Event]) -> Event:
    found = [event for event in EXAMPLES if type(event) is cls]
    assert len(found) == 1, f"EXAMPLES needs one {cls.__name__}"
    return found[0]


def with_defaults_of_then(event: Event, state: bytes, apart: bytes | None) -> Event:
    """The example as a state from before one of its fields reads: with that field's plain default."""
    said = msgspec.json.decode(state).keys() | msgspec.json.decode(apart or b"{}").keys()
    then = [field for field in fields(event) if field.name not in said]
    plain = {field.name: field.default for field in then if field.default is not MISSING}
    made = {field.name: field.default_factory() for field in then if field.default_factory is not MISSING}
    return replace(event, **plain | made)


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.TOPIC)
def test_every_event_is_written_as_the_golden_state_says(cls: type[Event]) -> None:
    states = stored_states().get(cls.TOPIC)
    assert states, f"no stored state of {cls.TOPIC}: see the top of this file"

    assert written(of(cls)) == states[-1]


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.TOPIC)
def test_every_state_that_was_ever_stored_reads_as_the_same_event(cls: type[Event]) -> None:
    event = of(cls)
    for state, apart in stored_states()[cls.TOPIC]:
        stored = MappedEvent(
            event.originator_id, event.originator_version, cls.TOPIC, state, event.event_id, apart
        )

        read = event_mapper().to_domain_event(stored)

        meant = with_defaults_of_then(event, state, apart)
        assert read == meant
        assert type(read) is cls
        assert {f.name for f in fields(read)} == vars(read).keys()
        assert repr(read) == repr(meant), "the values are of the same types, too"


def test_no_state_is_kept_for_a_topic_that_is_gone() -> None:
    """A topic is never renamed: what stands in a log must find its class."""
    assert stored_states().keys() == {cls.TOPIC for cls in EVENTS}


def test_what_is_sealed_apart_does_not_stand_in_the_state() -> None:
    for event in EXAMPLES:
        state, apart = (msgspec.json.decode(one or b"{}") for one in written(event))

        assert apart.keys() == event.SEALED_APART
        assert state.keys().isdisjoint(apart)


def add_what_is_written_today() -> None:
    states = stored_states()
    for event in EXAMPLES:
        if written(event) not in states.setdefault(event.TOPIC, []):
            states[event.TOPIC].append(written(event))
    topics = [
        b'"%s": [\n%s\n]' % (topic.encode(), b",\n".join(map(line, each)))
        for topic, each in sorted(states.items())
    ]
    GOLDEN.write_bytes(b"{\n" + b",\n".join(topics) + b"\n}\n")


def line(state: Sections) -> bytes:
    return state[0] if state[1] is None else b"[%s,%s]" % state


if __name__ == "__main__":
    add_what_is_written_today()
