"""What a patient keeps from whom whatever else she said, and who stands for her."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from access_examples import A_MICROSECOND, LATER, given, permitted, refusal
from examples import CLINIC, EVENT, HOSPITAL, NOON, PATIENT, SIX, STRANGER, a_request, granted
from tsuzuri.domain import consents as said
from tsuzuri.domain.access import decide
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.consents import Consents, Denial, Proxy
from tsuzuri.domain.denials import DeniedAlready, NothingToLift, deny, lift
from tsuzuri.domain.events import ConsentDenied, DenialLifted, Erased, ProxyAppointed, ProxyEnded, originator
from tsuzuri.domain.proxies import NothingToEnd, UselessProxy, appoint, end
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import (
    AccessBasis,
    Flag,
    ProxyRelation,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
    Stream,
)

STREAM = originator(PATIENT, Stream.CONSENT)
CONDITION, LAB = RecordClass.CONDITION, RecordClass.LAB_RESULT
A_DAY = timedelta(days=1)


def denied(**changes: Any) -> ConsentDenied:
    usual: dict[str, Any] = {
        "originator_id": STREAM,
        "originator_version": 1,
        "event_id": LATER,
        "patient": PATIENT,
        "facility": HOSPITAL,
        "classes": (),
        "recorded_by": "patient",
    }
    return ConsentDenied(**usual | changes)


def appointed(**changes: Any) -> ProxyAppointed:
    usual: dict[str, Any] = {
        "originator_id": STREAM,
        "originator_version": 1,
        "event_id": EVENT,
        "patient": PATIENT,
        "person": "daughter",
        "relation": ProxyRelation.DELEGATE,
        "since": NOON - A_DAY,
        "until": NOON + A_DAY,
        "recorded_by": "patient",
    }
    return ProxyAppointed(**usual | changes)


def asked_to_deny(consents: Consents, **changes: Any) -> ConsentDenied:
    usual: dict[str, Any] = {
        "event_id": LATER,
        "facility": HOSPITAL,
        "classes": (),
        "recorded_by": "patient",
    }
    return deny(consents, **usual | changes)


def asked_to_appoint(consents: Consents, **changes: Any) -> ProxyAppointed:
    usual: dict[str, Any] = {
        "event_id": LATER,
        "person": "daughter",
        "relation": ProxyRelation.DELEGATE,
        "since": NOON - A_DAY,
        "until": NOON + A_DAY,
        "recorded_by": "patient",
    }
    return appoint(consents, **usual | changes)


def daughter(**changes: Any) -> AccessRequest:
    usual: dict[str, Any] = {
        "person": "daughter",
        "role": Role.PATIENT,
        "facility": None,
        "own_patient": STRANGER,
        "purpose": PurposeOfUse.FAMRQT,
    }
    return a_request(**usual | changes)


# --- a denial


@pytest.mark.parametrize("facility", [HOSPITAL, None], ids=["from the hospital", "from all"])
@pytest.mark.parametrize("first", [True, False], ids=["before the consent", "after it"])
def test_a_denial_wins_over_a_consent_whichever_came_first(facility: str | None, first: bool) -> None:
    denial = denied(facility=facility)
    history = (denial, granted()) if first else (granted(), denial)

    assert refusal(decide(a_request(), given(*history))) is RefusalReason.NOT_AVAILABLE


def test_a_denial_keeps_what_it_lists_from_whom_it_names_and_nothing_else() -> None:
    consents = given(granted(), granted(facility=CLINIC), denied(classes=(CONDITION, LAB)))

    (ground,) = permitted(decide(a_request(), consents)).grounds
    assert ground.classes == tuple(one for one in SIX if one not in (CONDITION, LAB))
    assert permitted(decide(a_request(facility=CLINIC), consents)).classes == SIX


def test_a_letter_that_is_denied_is_not_opened_by_the_classes_of_what_it_holds() -> None:
    one_letter = granted(classes=(RecordClass.REFERRAL,), document=STRANGER)

    assert permitted(decide(a_request(), given(one_letter)))
    answer = decide(a_request(), given(one_letter, denied(classes=(RecordClass.REFERRAL,))))
    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_no_denial_keeps_a_facility_from_what_it_registered_itself() -> None:
    answer = permitted(decide(a_request(registered_here=True), given(denied())))

    assert answer.grounds == (
        Ground(
            basis=AccessBasis.OWN_FACILITY, classes=tuple(RecordClass), flags=tuple(Flag), sender=HOSPITAL
        ),
    )


def test_who_belongs_to_no_facility_registered_nothing() -> None:
    answer = decide(a_request(registered_here=True, facility=None), given())

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_a_denial_says_what_is_kept_from_whom_each_class_once_and_in_order() -> None:
    allergies, infections = RecordClass.OTHER_ALLERGY, RecordClass.INFECTION

    event = asked_to_deny(given(granted(originator_version=4)), classes=(infections, allergies, infections))

    assert event == denied(originator_version=5, classes=(allergies, infections))


def test_a_denial_from_every_facility_names_none() -> None:
    assert asked_to_deny(given(), facility=None).facility is None


def test_what_is_held_of_a_denial_is_what_was_said() -> None:
    consents = given(granted(), denied(originator_version=2, classes=(LAB,)))

    assert consents.denials == (Denial(LATER, HOSPITAL, (LAB,)),)
    assert (consents.version, len(consents.grants)) == (2, 1)


def test_the_same_denial_twice_is_refused_and_another_is_not() -> None:
    consents = given(denied(classes=(CONDITION, LAB)))

    with pytest.raises(DeniedAlready, match="^the same denial stands already$"):
        asked_to_deny(consents, classes=(LAB, CONDITION))
    assert asked_to_deny(consents, classes=(LAB,)).classes == (LAB,)
    assert asked_to_deny(consents, facility=CLINIC, classes=(CONDITION, LAB)).facility == CLINIC


def test_lifted_it_keeps_nothing_and_the_others_stand() -> None:
    both = given(granted(), denied(classes=(LAB,)), denied(event_id=STRANGER, classes=(CONDITION,)))
    lifted = lift(both, LATER, event_id=EVENT, recorded_by="patient")

    after = said.evolve(both, lifted)

    assert permitted(decide(a_request(), after)).classes == SIX[1:]
    assert [denial.because for denial in after.denials] == [STRANGER]


def test_lifting_names_the_denial() -> None:
    event = lift(given(denied(originator_version=3)), LATER, event_id=EVENT, recorded_by="patient")

    assert event == DenialLifted(
        originator_id=STREAM,
        originator_version=4,
        event_id=EVENT,
        patient=PATIENT,
        denial=LATER,
        recorded_by="patient",
    )


@pytest.mark.parametrize("consents", [given(), given(denied(event_id=EVENT))], ids=["none", "another"])
def test_there_may_be_no_denial_to_lift(consents: Consents) -> None:
    with pytest.raises(NothingToLift, match="^no such denial of this patient stands$"):
        lift(consents, LATER, event_id=STRANGER, recorded_by="patient")


def test_one_denial_of_several_can_be_lifted() -> None:
    both = given(denied(), denied(event_id=STRANGER, classes=(LAB,)))

    assert lift(both, STRANGER, event_id=EVENT, recorded_by="patient").denial == STRANGER


# --- who stands for her


def test_a_proxy_sees_what_the_patient_sees_and_the_appointment_is_cited() -> None:
    (hers,) = permitted(decide(daughter(own_patient=PATIENT, purpose=PurposeOfUse.PATRQT), given())).grounds
    (ground,) = permitted(decide(daughter(), given(appointed()))).grounds

    assert ground == Ground(
        basis=AccessBasis.PROXY, classes=tuple(RecordClass), flags=(Flag.LTS,), because=EVENT
    )
    assert (ground.classes, ground.flags) == (hers.classes, hers.flags)


def test_no_denial_keeps_her_record_from_who_stands_for_her() -> None:
    answer = decide(daughter(), given(appointed(), denied(facility=None)))

    assert permitted(answer).classes == tuple(RecordClass)


@pytest.mark.parametrize(
    "changed",
    [{"person": "neighbour"}, {"purpose": PurposeOfUse.PATRQT}],
    ids=["another person", "as if for herself"],
)
def test_a_proxy_is_one_person_and_says_that_she_asks_for_another(changed: dict[str, Any]) -> None:
    assert refusal(decide(daughter(**changed), given(appointed()))) is RefusalReason.NOT_AVAILABLE


def test_of_her_own_record_nobody_is_a_proxy_by_herself() -> None:
    answer = decide(daughter(own_patient=PATIENT), given())

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("at", "stands"),
    [
        (NOON - A_DAY - A_MICROSECOND, False),
        (NOON - A_DAY, True),
        (NOON + A_DAY - A_MICROSECOND, True),
        (NOON + A_DAY, False),
    ],
)
def test_an_appointment_begins_and_ends_to_the_microsecond(at: datetime, stands: bool) -> None:
    answer = decide(daughter(at=at), given(appointed()))

    assert permitted(answer) if stands else refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_an_appointment_says_who_what_she_is_and_from_when_to_when() -> None:
    event = asked_to_appoint(given(granted(originator_version=2)))

    assert event == appointed(originator_version=3, event_id=LATER)


@pytest.mark.parametrize("period", [timedelta(), -A_MICROSECOND])
def test_an_appointment_that_lasts_no_time_is_refused(period: timedelta) -> None:
    with pytest.raises(UselessProxy, match="^an appointment ends after it begins$"):
        asked_to_appoint(given(), until=NOON - A_DAY + period)


def test_what_is_held_of_an_appointment_is_what_was_said() -> None:
    event = appointed()

    proxy = Proxy(EVENT, "daughter", ProxyRelation.DELEGATE, event.since, event.until)
    assert given(event) == Consents(PATIENT, version=1, proxies=(proxy,))


def test_appointments_that_are_over_are_forgotten_and_not_a_microsecond_sooner() -> None:
    over, nearly = appointed(until=NOON), appointed(until=NOON + A_MICROSECOND)
    new = appointed(event_id=LATER, originator_version=2, since=NOON)

    assert [held.because for held in given(over, new).proxies] == [LATER]
    assert [held.because for held in given(nearly, new).proxies] == [EVENT, LATER]


def test_ended_by_its_id_the_others_stand() -> None:
    both = given(appointed(), appointed(event_id=LATER, originator_version=2, person="son"))
    ended = end(both, EVENT, event_id=STRANGER, recorded_by="patient")

    assert ended == ProxyEnded(
        originator_id=STREAM,
        originator_version=3,
        event_id=STRANGER,
        patient=PATIENT,
        proxy=EVENT,
        recorded_by="patient",
    )
    assert [held.person for held in said.evolve(both, ended).proxies] == ["son"]


@pytest.mark.parametrize("consents", [given(), given(appointed(event_id=LATER))], ids=["none", "another"])
def test_there_may_be_no_appointment_to_end(consents: Consents) -> None:
    with pytest.raises(NothingToEnd, match="^no such appointment of this patient is in force$"):
        end(consents, EVENT, event_id=STRANGER, recorded_by="patient")


# --- of patients who are one person, and of what was erased


def test_what_either_of_two_patients_said_holds_for_the_person_they_are() -> None:
    one = given(granted(originator_version=5), denied(originator_version=6, classes=(LAB,)))
    other = given(
        granted(event_id=STRANGER, given="patient"),
        denied(event_id=STRANGER, classes=(CONDITION,)),
        appointed(originator_version=9),
    )

    person = said.together([one, other])

    assert person == Consents(
        PATIENT, 6, (*one.grants, *other.grants), (*one.denials, *other.denials), other.proxies
    )
    assert said.together([other, one]).proxies == other.proxies


def test_an_event_that_was_erased_moves_the_version_and_nothing_else() -> None:
    consents = given(granted(), denied())
    erased = Erased(originator_id=STREAM, originator_version=9, event_id=EVENT, topic="consent-granted")

    after = said.evolve(consents, erased)

    assert after == Consents(PATIENT, 9, consents.grants, consents.denials)
