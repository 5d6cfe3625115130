"""What is stored stays readable for ever: one stored state for every class of event, kept in golden_events.json.

They are the states before they are sealed. A line of the file is one state of the topic above it, oldest first; what
is sealed apart stands beside the rest, as a pair. The last is what is written today, byte for byte; the earlier
ones, from before a field was added, are only read. States are added and never edited:
`python tests/eventlog/test_golden_events.py` (with `src` and `tests` on the path) adds what today's code writes.
"""

from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from examples import CLINIC, HOSPITAL, NUMBER, PATIENT, granted, withdrawn
from tsuzuri.domain.accesses import AccessAudit, AccessTold, Ground
from tsuzuri.domain.events import (
    EVENTS,
    AccessesErased,
    AccessPermitted,
    AccessRefused,
    BundleCancelled,
    BundleRefused,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    CodeReleaseTaken,
    ConsentDenied,
    ConsentsErased,
    DenialLifted,
    Event,
    FacilityClosed,
    FacilityListed,
    HoldLifted,
    HoldPlaced,
    Identifier,
    IdentitySettled,
    Link,
    NumberPeriod,
    OperatorActed,
    PatientIdentified,
    PatientsLinked,
    PatientsUnlinked,
    PayloadErased,
    ProxyAppointed,
    ProxyEnded,
    RecordErased,
    ReferralReceived,
    TrailRead,
    Unit,
    UnmatchedIdentity,
    originator,
)
from tsuzuri.domain.identifiers import INSURED_PERSON_SYSTEM, LOCAL_SYSTEMS
from tsuzuri.domain.record import Demographics
from tsuzuri.domain.vocabulary import (
    AccessBasis,
    DocumentKind,
    Flag,
    OperatorAct,
    ProxyRelation,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
    Stream,
    UnmatchedReason,
)
from tsuzuri.eventlog.mapper import MappedEvent, event_mapper

GOLDEN = Path(__file__).with_name("golden_events.json")
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MOMENT = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)


def an_id(number: int) -> UUID:
    return UUID(int=0xABCDEF00_0000_4000_8000_000000000000 + number)


def bundle(**more: Any) -> dict[str, Any]:
    return {
        "originator_id": originator(PATIENT, Stream.RECORD),
        "originator_version": 2,
        "event_id": an_id(1),
        "patient": PATIENT,
        "document": an_id(2),
        "kind": DocumentKind.DISCHARGE_SUMMARY,
        "facility": CLINIC,
        "system": "http://jpfhir.jp/fhir/clins/bundle-identifier",
        "value": f"{CLINIC}^2026^試験",
        "timestamp": MOMENT,
        "received": an_id(3),
        "received_sha256": SHA,
        "received_bytes": 12345,
        "head": an_id(4),
        "units": (
            Unit(record_class=RecordClass.CONDITION, payload=an_id(5), sha256=SHA, entries=2),
            Unit(record_class=RecordClass.LAB_RESULT, payload=an_id(6), sha256=SHA, entries=1),
        ),
        "sender": "clinic-system",
        "rules": "clins-1.10 1 5be0c1d2",
        "codes": "tsuzuri-2026.11",
        "recipient": HOSPITAL,
        "scope": "内科",
        "warnings": ("passed-over: Device",),
        "hides": {"c-20065011": (Flag.UNDELIVERED, Flag.UNINFORMED)},
        "marked_at": {"c-20065011": MOMENT},
        "touches": (RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.DISCHARGE_SUMMARY),
        **more,
    }


GROUND = Ground(
    basis=AccessBasis.CONSENT,
    classes=(RecordClass.CONDITION, RecordClass.LAB_RESULT),
    flags=(Flag.LTS, Flag.UNINFORMED),
    because=an_id(7),
)
LINK = Link(link=an_id(40), survivor=PATIENT, other=an_id(41))
ASKING: dict[str, Any] = {
    "person": "dr-hamada",
    "role": Role.CLINICIAN,
    "facility": HOSPITAL,
    "purpose": PurposeOfUse.TREAT,
}
VARIABLES = '{"名":"花子"}'
OPERATION: dict[str, Any] = {"operation_sha256": SHA, "operation_name": "Summary"}

EXAMPLES: tuple[Event, ...] = (
    PatientIdentified(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=1,
        event_id=an_id(8),
        patient=PATIENT,
        facility=CLINIC,
        identifiers=(Identifier(system=INSURED_PERSON_SYSTEM, value=NUMBER),),
        demographics=Demographics(
            name="試験 花子",
            kana="シケン ハナコ",
            birth_date="1970-01-02",
            sex="female",
            postal_code="3500001",
        ),
        disputed=(Identifier(system=LOCAL_SYSTEMS[0] + CLINIC, value="P-1"),),
        periods=(NumberPeriod(system=INSURED_PERSON_SYSTEM, value=NUMBER, since=MOMENT, until=None),),
        unmatched=(
            UnmatchedIdentity(
                reason=UnmatchedReason.NUMBER_OF_ANOTHER,
                other=an_id(35),
                number=Identifier(system=LOCAL_SYSTEMS[0] + CLINIC, value="P-1"),
            ),
        ),
    ),
    IdentitySettled(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=2,
        event_id=an_id(36),
        patient=PATIENT,
        identity=an_id(37),
        reason="施設に確認",
        settled_by="operator-ono",
    ),
    *[
        linking(
            originator_id=originator(PATIENT, Stream.RECORD),
            originator_version=3,
            event_id=an_id(39),
            patient=PATIENT,
            changed=LINK,
            links=(LINK,),
            reason="同一人物",
            changed_by="operator-ono",
        )
        for linking in (PatientsLinked, PatientsUnlinked)
    ],
    BundleRegistered(**bundle()),
    BundleReplaced(**bundle(), replaces=an_id(9)),
    BundleRestored(**bundle(), restores=an_id(10), reason="取消の取消"),
    BundleCancelled(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=3,
        event_id=an_id(10),
        patient=PATIENT,
        document=an_id(2),
        facility=CLINIC,
        cancels=an_id(1),
        reason="別人の記録",
        sender="clinic-system",
        touches=(RecordClass.CONDITION,),
    ),
    ReferralReceived(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=3,
        event_id=an_id(38),
        patient=PATIENT,
        document=an_id(2),
        facility=HOSPITAL,
        receives=an_id(1),
        received_by="dr-hamada",
    ),
    PayloadErased(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=4,
        event_id=an_id(18),
        patient=PATIENT,
        document=an_id(2),
        payloads=(an_id(3), an_id(4)),
        reason="保存期間の満了",
        erased_by="operator-ono",
        touches=(RecordClass.CONDITION,),
    ),
    OperatorActed(
        originator_id=originator(an_id(21), Stream.RECORD),
        originator_version=1,
        event_id=an_id(22),
        projection="record_index",
        act=OperatorAct.SKIP,
        generation=2,
        patient=PATIENT,
        skipped=an_id(3),
        reason="壊れた文書",
        ticket="OPS-17",
        recorded_by="operator-ono",
    ),
    *[
        erased(
            originator_id=originator(PATIENT, Stream.RECORD),
            originator_version=5,
            event_id=an_id(19),
            reason="本人の求め",
            erased_by="operator-ono",
        )
        for erased in (RecordErased, ConsentsErased, AccessesErased)
    ],
    HoldPlaced(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=6,
        event_id=an_id(20),
        patient=PATIENT,
        reason="証拠保全",
        placed_by="operator-ono",
    ),
    HoldLifted(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=7,
        event_id=an_id(21),
        patient=PATIENT,
        hold=an_id(20),
        reason="訴訟の終結",
        lifted_by="operator-ono",
    ),
    granted(document=an_id(2)),
    withdrawn(classes=(RecordClass.CONDITION,), document=an_id(2)),
    ConsentDenied(
        originator_id=originator(PATIENT, Stream.CONSENT),
        originator_version=3,
        event_id=an_id(42),
        patient=PATIENT,
        facility=None,
        classes=(RecordClass.CONDITION,),
        recorded_by="patient",
    ),
    DenialLifted(
        originator_id=originator(PATIENT, Stream.CONSENT),
        originator_version=4,
        event_id=an_id(43),
        patient=PATIENT,
        denial=an_id(42),
        recorded_by="patient",
    ),
    ProxyAppointed(
        originator_id=originator(PATIENT, Stream.CONSENT),
        originator_version=5,
        event_id=an_id(44),
        patient=PATIENT,
        person="mother",
        relation=ProxyRelation.PARENT,
        since=MOMENT,
        until=MOMENT.replace(year=2030),
        recorded_by="operator-ono",
    ),
    ProxyEnded(
        originator_id=originator(PATIENT, Stream.CONSENT),
        originator_version=6,
        event_id=an_id(45),
        patient=PATIENT,
        proxy=an_id(44),
        recorded_by="patient",
    ),
    AccessPermitted(
        originator_id=originator(PATIENT, Stream.ACCESS),
        originator_version=0,
        event_id=an_id(11),
        patient=PATIENT,
        told=AccessTold(
            **ASKING,
            bases=(AccessBasis.CONSENT,),
            classes_asked=(RecordClass.CONDITION,),
            classes_permitted=(RecordClass.CONDITION, RecordClass.LAB_RESULT),
        ),
        audit=AccessAudit(
            **OPERATION,
            variables=VARIABLES,
            grounds=(GROUND,),
            consent_version=1,
            read_at=17,
            as_of="position",
            entries_shown=1,
            shown_by_class={RecordClass.CONDITION: 1},
            shown_sha256=SHA,
            answer_sha256=SHA,
            incomplete=False,
            schema_sha256=SHA,
            projections={"record_index": 1},
            session="s-1",
        ),
    ),
    AccessRefused(
        originator_id=originator(an_id(12), Stream.ACCESS),
        originator_version=0,
        event_id=an_id(13),
        patient=None,
        **ASKING,
        **OPERATION,
        variables_sha256=SHA,
        reason=RefusalReason.NOT_AVAILABLE,
        consent_version=0,
        session=None,
    ),
    BundleRefused(
        originator_id=originator(an_id(16), Stream.ACCESS),
        originator_version=0,
        event_id=an_id(17),
        facility="1310000001",
        sender="system-1",
        received_sha256=SHA,
        received_bytes=4711,
        place="Bundle.entry[1].resource.code",
        rules="clins-1.10 1 5be0c1d2",
        broken=("R9011", "T:Condition.code"),
        session="s-1",
    ),
    TrailRead(
        originator_id=originator(an_id(14), Stream.ACCESS),
        originator_version=0,
        event_id=an_id(15),
        person="auditor-abe",
        role=Role.AUDITOR,
        patient=PATIENT,
        **OPERATION,
        variables=VARIABLES,
        shown=20,
    ),
    FacilityListed(
        originator_id=originator(an_id(16), Stream.RECORD),
        originator_version=1,
        event_id=an_id(17),
        facility=CLINIC,
        name="試験診療所",
        kind="CLINIC",
        municipality="11201",
        municipality_name="川越市",
        departments=("内科", "小児科"),
        emergency=True,
        recorded_by="operator-ono",
        department_codes=("01", ""),
    ),
    FacilityClosed(
        originator_id=originator(an_id(16), Stream.RECORD),
        originator_version=2,
        event_id=an_id(34),
        facility=CLINIC,
        reason="廃止届",
        recorded_by="operator-ono",
    ),
    CodeReleaseTaken(
        originator_id=originator(an_id(31), Stream.RECORD),
        originator_version=1,
        event_id=an_id(32),
        release="jlac-2027.04",
        sha256=SHA,
        codes=7890,
        payload=an_id(33),
        recorded_by="operator-ono",
    ),
)
"""Every class of event once, with fixed values. A field added later keeps its default here."""


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
