"""Given what lies in the log, when somebody asks for a record, then on what is it decided and what may be shown?"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from event_examples import EXAMPLES
from examples import (
    CLINIC,
    DOCTOR,
    HOSPITAL,
    NOON,
    NUMBER,
    OPERATOR,
    PATIENT,
    STRANGER,
    a_request,
    granted,
    herself,
)
from log_examples import Run
from policy_examples import declared, listed, opened, right_given
from sight_examples import a_sight
from tsuzuri.app.actions import open_record as opening
from tsuzuri.app.actions.find_patient import (
    demographic_digests,
    find_patient,
    number_digest,
    registered_here,
    sender_digest,
)
from tsuzuri.app.actions.link_patients import link_patients
from tsuzuri.app.actions.load_policies import policies_for
from tsuzuri.app.actions.open_record import BAD_POSITION, NOT_YET, consents_of, open_record, request_of
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state, demographics
from tsuzuri.domain.access import Permitted, decide
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import ConsentEvent, Consents, evolve, together
from tsuzuri.domain.events import BundleCancelled, PatientIdentified, originator
from tsuzuri.domain.identifiers import DemographicKey, InsuredPersonNumber, LocalNumber, PatientKey
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.policies import NO_POLICIES
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, RefusalReason, Stream
from tsuzuri.eventlog.appending import Beside, Claim, Findable, Guard
from tsuzuri.graphql.context import AsOfPosition
from tsuzuri.graphql.positions import sealed_position
from tsuzuri.graphql.readings import Reading, RefusedReading
from tsuzuri.projections.sight import LeftOut, Sight

HER_NUMBER = InsuredPersonNumber.parse(NUMBER)
OTHER_NUMBER = InsuredPersonNumber.parse("00099999:え:7:01")
ACCESS = UUID(int=92)
TREAT, BTG, DISASTER = PurposeOfUse.TREAT, PurposeOfUse.BTG, PurposeOfUse.DISASTER
HANAKO = DemographicKey("シケンハナコ", "1970-01-02", "female", postal_code="3500001")
Work = Callable[[Services], Awaitable[None]]


def at_noon(services: Services) -> Services:
    return replace(services, now=lambda: NOON, new_id=lambda: ACCESS)


async def identified(
    services: Services,
    patient: UUID = PATIENT,
    number: InsuredPersonNumber = HER_NUMBER,
    sender: str | None = None,
    said: DemographicKey | None = None,
) -> None:
    (sample,) = [event for event in EXAMPLES if isinstance(event, PatientIdentified)]
    claims = [Claim(number_digest(services, number), patient)]
    if sender is not None:
        claims.append(Claim(sender_digest(services.number_key, sender, patient), patient))
    terms = () if said is None else demographics.said(said)
    findable = [Findable(digest, patient) for digest in demographic_digests(services.number_key, terms)]
    event = replace(
        sample,
        originator_id=originator(patient, Stream.RECORD),
        event_id=UUID(int=patient.int + 1),
        patient=patient,
    )
    await services.log.save(event, beside=Beside(claims=claims, findable=findable))


async def said(services: Services, *events: ConsentEvent, patient: UUID = PATIENT) -> Consents:
    consents = reduce(evolve, events, Consents(patient))
    beside = Beside(narrows=True, consents=consent_state.dump(consents))
    await services.log.save(*events, beside=beside)
    return consents


async def asked(
    services: Services,
    key: PatientKey = PATIENT,
    purpose: PurposeOfUse = TREAT,
    caller: Caller = DOCTOR,
    **changes: Any,
) -> Reading | RefusedReading:
    usual: dict[str, Any] = {"as_of": None, "min_position": None, "path": ("patientRecord",)}
    return await open_record(at_noon(services), caller, key, purpose, **usual | changes)


def permitted(reading: Reading | RefusedReading) -> Reading:
    assert isinstance(reading, Reading), reading.decision
    return reading


# --- on what it is decided


def test_a_permitted_read_rests_on_the_folded_consents_and_its_guard(run: Run) -> None:
    async def work(services: Services) -> None:
        await identified(services, sender=HOSPITAL)
        consents = await said(services, granted())

        reading = permitted(await asked(services, HER_NUMBER))

        head = await services.log.head(PATIENT)
        request = a_request(registered_here=True)
        decision = decide(request, consents)
        assert isinstance(decision, Permitted) and head.guard_pos > 0
        assert (reading.access_id, reading.path) == (ACCESS, ("patientRecord",))
        assert (reading.request, reading.decision) == (request, decision)
        assert reading.sight == Sight(
            patient=PATIENT, grounds=decision.grounds, generation=1, position=0, decided_at=NOON
        )
        assert reading.guards == (Guard(PATIENT, head.guard_pos),)
        assert (reading.as_of, reading.incomplete, reading.problem, reading.linked) == (None, False, None, {})
        assert (reading.stands.generation, reading.stands.position) == (1, 0)

    run(work)


def test_a_refused_read_names_a_patient_only_where_there_is_one(run: Run) -> None:
    async def work(services: Services) -> None:
        await identified(services)

        known, unknown = await asked(services, HER_NUMBER), await asked(services, OTHER_NUMBER)

        assert isinstance(known, RefusedReading) and isinstance(unknown, RefusedReading)
        assert known.request == a_request()
        assert (known.access_id, known.known_patient, known.linked) == (ACCESS, PATIENT, {})
        assert known.decision == unknown.decision == decide(a_request(), Consents(PATIENT))
        assert unknown.known_patient is None

    run(work)


def test_the_patient_reads_her_own_record_and_nobody_else_hers(run: Run) -> None:
    async def work(services: Services) -> None:
        await identified(services)

        own = permitted(await asked(services, PATIENT, PurposeOfUse.PATRQT, herself()))
        other = await asked(services, PATIENT, PurposeOfUse.PATRQT, herself(STRANGER))

        assert own.request.own_patient == PATIENT
        assert isinstance(other, RefusedReading) and other.request.own_patient == STRANGER

    run(work)


def test_who_is_one_person_is_read_and_guarded_together_under_either_number(run: Run) -> None:
    async def work(services: Services) -> None:
        await identified(services)
        await identified(services, STRANGER, OTHER_NUMBER, sender=HOSPITAL)
        hers = await said(
            services, granted(patient=STRANGER, originator_id=f"{STRANGER}/consent"), patient=STRANGER
        )
        early = sealed_position(services.seals, a_sight(position=0))
        await link_patients(services, OPERATOR, PATIENT, STRANGER, reason="確認済")

        for number in (HER_NUMBER, OTHER_NUMBER):
            reading = permitted(await asked(services, number))
            heads = await services.log.heads(PATIENT)
            assert reading.decision == decide(
                a_request(registered_here=True), together([Consents(PATIENT), hers])
            )
            assert (reading.sight.patient, reading.sight.others) == (PATIENT, ((STRANGER, 0),))
            assert reading.guards == tuple(Guard(head.patient, head.guard_pos) for head in heads)
            assert reading.linked == {STRANGER: 1}
        own = permitted(await asked(services, PATIENT, PurposeOfUse.PATRQT, herself(STRANGER)))
        assert own.request.own_patient == PATIENT
        refused = await asked(services, OTHER_NUMBER, PurposeOfUse.HPAYMT)
        assert isinstance(refused, RefusedReading)
        assert (refused.known_patient, refused.linked) == (PATIENT, {STRANGER: 1})
        assert consents_of(await services.log.heads(STRANGER)) == together([Consents(PATIENT), hers])
        then = permitted(await asked(services, HER_NUMBER, as_of=AsOfPosition(early)))
        assert then.sight.others == ((STRANGER, -1),), "of who was linked since, nothing"

    run(work)


def test_unless_it_was_looked_up_a_facility_has_registered_nothing(run: Run) -> None:
    async def work(services: Services) -> None:
        heads = await services.log.heads(PATIENT)

        assert request_of(at_noon(services), DOCTOR, heads, TREAT) == a_request()

    run(work)


# --- as of then, and not before


def test_a_position_is_read_as_of_then_and_one_that_is_not_hers_is_a_problem(run: Run) -> None:
    async def work(services: Services) -> None:
        await said(services, granted())
        sight = permitted(await asked(services)).sight
        early = sealed_position(services.seals, replace(sight, position=-1))
        later = sealed_position(services.seals, replace(sight, position=5))
        foreign = sealed_position(services.seals, replace(sight, patient=STRANGER))

        then = permitted(await asked(services, as_of=AsOfPosition(early)))
        assert (then.sight.position, then.as_of, then.problem) == (-1, "position", None)
        assert then.sight.recorded_by is None
        assert permitted(await asked(services, as_of=AsOfPosition(later))).sight.position == 0
        for wrong in ({"as_of": AsOfPosition(foreign)}, {"min_position": foreign}, {"min_position": "x"}):
            assert permitted(await asked(services, **wrong)).problem == BAD_POSITION
        moment = permitted(await asked(services, as_of=NOON))
        assert (moment.sight.recorded_by, moment.as_of) == (NOON, NOON.isoformat())
        assert permitted(await asked(services, min_position=early)).problem is None

    run(work)


def test_a_position_that_the_index_has_not_reached_is_waited_for_a_little(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MIN_POSITION_WAIT_SECONDS", 0.1)

    async def work(services: Services) -> None:
        await said(services, granted())
        sight = permitted(await asked(services)).sight
        later = sealed_position(services.seals, replace(sight, position=1))
        foreign = AsOfPosition("x")

        assert permitted(await asked(services, min_position=later)).problem == NOT_YET
        assert permitted(await asked(services, min_position=later, as_of=foreign)).problem == BAD_POSITION
        nobody_s = sealed_position(services.seals, replace(sight, others=((STRANGER, 99),)))
        assert permitted(await asked(services, min_position=nobody_s)).problem is None

    run(work)


def test_what_was_cancelled_behind_the_index_is_left_out_where_it_may_be_seen(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "INDEX_WAIT_SECONDS", 0.1)
    (sample,) = [event for event in EXAMPLES if isinstance(event, BundleCancelled)]

    async def work(services: Services) -> None:
        await identified(services)
        await said(services, granted())
        cancelled = replace(sample, originator_version=2, touches=(RecordClass.CHECKUP_REPORT,))
        await services.log.save(cancelled)
        unconcerned = permitted(await asked(services))
        other = replace(sample, originator_version=3, event_id=ACCESS)
        await services.log.save(other)

        concerned = permitted(await asked(services))

        assert (unconcerned.incomplete, unconcerned.sight.left_out) == (False, LeftOut())
        assert concerned.incomplete
        assert concerned.sight.left_out == LeftOut(documents=(sample.document,))
        assert concerned.stands.lag_seconds > 0

    run(work)


# --- emergencies and disasters


def test_rights_and_windows_are_loaded_for_their_purposes_with_guards_of_their_own(run: Run) -> None:
    async def work(services: Services) -> None:
        owner, area = facility_owner(HOSPITAL), disaster_owner()
        await services.log.save(listed(), right_given(), beside=Beside(narrows=True))
        await services.log.save(opened(), beside=Beside(narrows=True))
        right = Guard(owner, (await services.log.head(owner)).guard_pos)
        window = Guard(area, (await services.log.head(area)).guard_pos)

        assert await policies_for(services, DOCTOR, TREAT) == (NO_POLICIES, ())
        assert await policies_for(services, herself(), BTG) == (NO_POLICIES, ())
        for purpose in (BTG, PurposeOfUse.ETREAT):
            policies, guards = await policies_for(services, DOCTOR, purpose)
            assert policies.emergency_right("dr-hamada", NOON) is not None
            assert (policies.versions, guards) == ({owner: 2}, (right,))
        policies, guards = await policies_for(services, DOCTOR, DISASTER)
        assert [one.because for one in policies.disaster_windows(NOON)] == [opened().event_id]
        assert (policies.versions, guards) == ({owner: 2, area: 1}, (right, window))
        assert right.guard_pos > 0 and window.guard_pos > 0

    run(work)


def test_an_emergency_read_is_guarded_by_the_patient_and_the_right(run: Run) -> None:
    async def work(services: Services) -> None:
        owner = facility_owner(HOSPITAL)
        await services.log.save(listed(), right_given(), beside=Beside(narrows=True))
        await identified(services, said=HANAKO)
        await said(services, declared())

        reading = permitted(await asked(services, HANAKO, BTG))

        assert [guard.patient for guard in reading.guards] == [PATIENT, owner]
        assert reading.decision.policies == {owner: 2}
        refused = await asked(services, HANAKO, TREAT)
        assert isinstance(refused, RefusedReading)
        assert (refused.known_patient, refused.decision.reason) == (None, RefusalReason.NOT_AVAILABLE)

    run(work)


# --- who the patient is


def test_a_number_finds_its_patient_or_a_decoy_that_stays_the_same(run: Run) -> None:
    async def work(services: Services) -> None:
        await identified(services)

        assert await find_patient(services, PATIENT) == (PATIENT, True)
        assert await find_patient(services, HER_NUMBER) == (PATIENT, True)
        decoys = {}
        for key in (OTHER_NUMBER, LocalNumber(CLINIC, "P-1"), LocalNumber(HOSPITAL, "P-1"), HANAKO):
            decoys[key], known = await find_patient(services, key)
            assert not known
            assert await find_patient(services, key) == (decoys[key], False)
        assert len({PATIENT, *decoys.values()}) == 5

    run(work)


def test_by_name_and_birth_date_one_patient_is_found_and_never_one_of_several(run: Run) -> None:
    async def work(services: Services) -> None:
        await identified(services, said=HANAKO)
        elsewhere = replace(HANAKO, postal_code="1000001")
        decoy, _ = await find_patient(services, HANAKO)

        assert await find_patient(services, HANAKO, without_card=True) == (PATIENT, True)
        assert decoy != PATIENT
        assert (await find_patient(services, elsewhere, without_card=True))[1] is False
        await identified(services, STRANGER, OTHER_NUMBER, said=HANAKO)
        assert await find_patient(services, HANAKO, without_card=True) == (decoy, False)
        await link_patients(services, OPERATOR, PATIENT, STRANGER, reason="確認済")
        assert await find_patient(services, HANAKO, without_card=True) == (PATIENT, True)

    run(work)


def test_a_facility_is_known_to_have_registered_something_of_her_by_its_own_claim(run: Run) -> None:
    async def work(services: Services) -> None:
        await identified(services, sender=HOSPITAL)
        heads = await services.log.heads(PATIENT)
        at_the_clinic = replace(DOCTOR, facility=CLINIC)

        assert await registered_here(services, DOCTOR, heads)
        assert not await registered_here(services, at_the_clinic, heads)
        assert not await registered_here(services, DOCTOR, await services.log.heads(STRANGER))
        assert not await registered_here(services, herself(), heads)

    run(work)
