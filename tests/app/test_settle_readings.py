"""Given what one operation read, was refused and looked up, what lies in the log before the answer leaves?"""

from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from examples import CLINIC, DOCTOR, HOSPITAL, NOON, PATIENT, STRANGER, a_caller, a_request, granted
from log_examples import Run
from sight_examples import a_ground, a_sight
from tsuzuri.app.actions.settle_readings import settle_readings
from tsuzuri.app.keys import seal_key
from tsuzuri.app.program import VERSION
from tsuzuri.app.services import Services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.accesses import AccessAudit, AccessTold
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import AccessPermitted, AccessRefused, Event, TrailRead, originator
from tsuzuri.domain.owners import facility_owner, person_owner
from tsuzuri.domain.vocabulary import (
    AccessBasis,
    IdentifiedBy,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
    Stream,
)
from tsuzuri.eventlog.appending import Beside, Guard, NarrowedMeanwhile
from tsuzuri.graphql.readings import Operation, Reading, Readings, RefusedReading, TrailReading
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import Freshness

CONDITION, LAB, ALLERGY = RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.DRUG_ALLERGY
OPERATION = Operation(
    sha256="op" * 32,
    name="Summary",
    variables='{"a":1}',
    document='{ her(name: "花子") }',
    names_nobody=False,
)
OWNER, ACCESS = UUID(int=91), UUID(int=92)
STANDS = Freshness(1, 10, None, 0.0, True, False, "jlac-2027.04")
REQUEST = a_request(readable=frozenset({LAB, CONDITION, ALLERGY}), registered_here=True)
DATA = {"patientRecord": {"entries": [1, 2]}}


def a_reading(**changes: Any) -> Reading:
    letter = a_ground(classes=(CONDITION, LAB), basis=AccessBasis.REFERRAL, recipient=HOSPITAL)
    usual: dict[str, Any] = {
        "access_id": ACCESS,
        "path": ("patientRecord",),
        "request": REQUEST,
        "decision": Permitted((a_ground(classes=(LAB,)), letter), 7, {OWNER: 3}),
        "sight": a_sight(),
        "guards": (),
        "identified_by": IdentifiedBy.LOCAL,
        "as_of": "position",
        "incomplete": True,
        "stands": STANDS,
        "linked": {STRANGER: 4},
        "stood_at": {PATIENT: 12},
        "left_out_to": {PATIENT: 14},
        "beside": {"identities": {PATIENT: 11}},
    }
    reading = Reading(**usual | changes)
    reading.ask([LAB, CONDITION])
    reading.show([(STRANGER.bytes, LAB), (OWNER.bytes, None)])
    return reading


def settled(
    run: Run, readings: Readings, owner: UUID, caller: Caller = DOCTOR, data: Any = DATA
) -> list[Event]:
    """The access stream of *owner* afterwards, as events without what the log itself adds."""

    async def work(services: Services) -> list[Event]:
        await settle_readings(services, caller, readings, OPERATION, data, "schema")
        stored: list[Event] = await services.log.stream(owner, Stream.ACCESS)
        return stored

    found: list[Event] = run(work)
    return found


def same(event: Event, expected: Event) -> bool:
    """But for what the log gives it: its place."""
    given = vars(event) | {"originator_version": 0}
    return type(event) is type(expected) and {name: given[name] for name in vars(expected)} == vars(expected)


def test_a_permitted_read_tells_the_patient_and_the_auditor_each_their_part(
    run: Run, settings: Settings
) -> None:
    reading = a_reading(path=("patientRecord", 0), sight=a_sight(others=((STRANGER, 9),)))
    several = {"patientRecord": [DATA["patientRecord"]]}

    (event,) = settled(
        run,
        Readings(permitted=[reading], failed=True),
        PATIENT,
        replace(DOCTOR, client="chart-viewer"),
        data=several,
    )

    assert same(
        event,
        AccessPermitted(
            originator_id=originator(PATIENT, Stream.ACCESS),
            originator_version=0,
            event_id=ACCESS,
            patient=PATIENT,
            told=AccessTold(
                person="dr-hamada",
                role=Role.CLINICIAN,
                facility=HOSPITAL,
                purpose=PurposeOfUse.TREAT,
                bases=(AccessBasis.CONSENT, AccessBasis.REFERRAL),
                classes_asked=(CONDITION, LAB),
                classes_permitted=(LAB, RecordClass.REFERRAL),
            ),
            audit=AccessAudit(
                operation_sha256=OPERATION.sha256,
                operation_name="Summary",
                variables='{"a":1}',
                grounds=reading.decision.grounds,
                consent_version=7,
                read_at=10,
                as_of="position",
                entries_shown=2,
                shown_by_class={LAB: 1},
                shown_sha256=reading.shown_sha256(),
                answer_sha256=reading.answer_sha256(several),
                incomplete=True,
                schema_sha256="schema",
                projections={name: one.version for name, one in PROJECTIONS.items()},
                session="s-1",
                linked={STRANGER: 4},
                policies={OWNER: 3},
                decided_at=NOON,
                readable=(CONDITION, ALLERGY, LAB),
                registered_here=True,
                identified_by=IdentifiedBy.LOCAL,
                client="chart-viewer",
                path="patientRecord.0",
                document='{ her(name: "花子") }',
                read_at_linked={STRANGER: 9},
                stood_at={PATIENT: 12},
                left_out_to={PATIENT: 14},
                beside={"identities": {PATIENT: 11}},
                codes="jlac-2027.04",
                program=VERSION,
                seals=Seals(seal_key(settings)).name,
                failed=True,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("caller", "owner"),
    [
        (replace(DOCTOR, client="chart-viewer"), facility_owner(HOSPITAL)),
        (a_caller("patient", Role.PATIENT, patient=STRANGER), person_owner("patient")),
    ],
    ids=["a facility's", "a person's"],
)
def test_a_refused_read_lies_on_the_caller_s_own_side(run: Run, caller: Caller, owner: UUID) -> None:
    refused = RefusedReading(
        access_id=ACCESS,
        request=REQUEST,
        known_patient=PATIENT,
        decision=Refused(RefusalReason.NOT_AVAILABLE, 7, {OWNER: 3}),
        linked={STRANGER: 4},
        identified_by=IdentifiedBy.INSURED_PERSON,
    )

    (event,) = settled(run, Readings(refused=[refused]), owner, caller)

    assert same(
        event,
        AccessRefused(
            originator_id=originator(owner, Stream.ACCESS),
            originator_version=0,
            event_id=ACCESS,
            patient=PATIENT,
            person="dr-hamada",
            role=Role.CLINICIAN,
            facility=HOSPITAL,
            purpose=PurposeOfUse.TREAT,
            reason=RefusalReason.NOT_AVAILABLE,
            operation_sha256=OPERATION.sha256,
            operation_name="Summary",
            variables_sha256=sha256(b'{"a":1}').hexdigest(),
            consent_version=7,
            session=caller.session,
            linked={STRANGER: 4},
            policies={OWNER: 3},
            decided_at=NOON,
            readable=(CONDITION, ALLERGY, LAB),
            registered_here=True,
            identified_by=IdentifiedBy.INSURED_PERSON,
            client=caller.client,
        ),
    )


def test_a_look_at_the_trail_is_in_the_trail(run: Run) -> None:
    auditor = Caller(person="auditor-abe", role=Role.AUDITOR, session="s-2", client="audit-desk")
    looks = Readings(trail=[TrailReading(access_id=ACCESS, patient=PATIENT, shown=5)])

    (event,) = settled(run, looks, person_owner("auditor-abe"), auditor)

    assert same(
        event,
        TrailRead(
            originator_id=originator(person_owner("auditor-abe"), Stream.ACCESS),
            originator_version=0,
            event_id=ACCESS,
            person="auditor-abe",
            role=Role.AUDITOR,
            patient=PATIENT,
            operation_sha256=OPERATION.sha256,
            operation_name="Summary",
            variables='{"a":1}',
            shown=5,
            session="s-2",
            client="audit-desk",
        ),
    )


def test_one_narrowed_guard_keeps_back_all_of_the_operation(run: Run) -> None:
    async def work(services: Services) -> None:
        decided_on = await services.log.head(PATIENT)
        await services.log.save(granted(), beside=Beside(narrows=True))
        kept = a_reading(access_id=STRANGER)
        behind = a_reading(guards=(Guard(PATIENT, decided_on.guard_pos),))
        readings = Readings(permitted=[kept, behind])
        with pytest.raises(NarrowedMeanwhile):
            await settle_readings(services, DOCTOR, readings, OPERATION, DATA, "schema")
        assert await services.log.stream(PATIENT, Stream.ACCESS) == []

    run(work)


def test_an_operation_that_read_nothing_writes_nothing(run: Run) -> None:
    assert settled(run, Readings(), facility_owner(CLINIC)) == []
