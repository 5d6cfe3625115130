"""Random histories as the log may hold them, and random reads at the moments at which something begins or ends.

What a patient says, and a right, holds from when it is recorded; a disaster window may be planned ahead.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from examples import CLINIC, HOSPITAL, NOON, granted, withdrawn
from oracle.access import Request, evaluate
from oracle.access_cases import (
    A_MICROSECOND,
    CALLERS,
    DOCTOR,
    ELSEWHERE,
    HERE,
    LETTER,
    MOTHER,
    OTHER_LETTER,
    SCOPES,
    Caller,
    History,
    a_request,
    an_event,
    of_owner,
    of_patient,
    scopes_for,
)
from oracle.access_compared import THINGS, Comparison, decided, folded, in_our_words
from tsuzuri.domain.events import (
    ConsentDenied,
    DenialLifted,
    DisasterWindowClosed,
    DisasterWindowOpened,
    EmergencyDeclared,
    EmergencyEnded,
    EmergencyRightGiven,
    EmergencyRightTaken,
    EmergencyWidened,
    Event,
    FacilityClosed,
    FacilityListed,
    ProxyAppointed,
    ProxyEnded,
)
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.vocabulary import FacilityKind, ProxyRelation, PurposeOfUse, RecordClass, Role

EVENTS_MOST, READS, THINGS_ASKED = 24, 5, 80
PEOPLE = (DOCTOR, "dr-ito")
FACILITIES = (HOSPITAL, CLINIC)
_PURPOSES = {  # each role's own mostly, and now and then any
    Role.CLINICIAN: (PurposeOfUse.TREAT, PurposeOfUse.ETREAT, PurposeOfUse.BTG, PurposeOfUse.DISASTER),
    Role.PHARMACIST: (PurposeOfUse.TREAT, PurposeOfUse.ETREAT, PurposeOfUse.DISASTER),
    Role.PATIENT: (PurposeOfUse.PATRQT, PurposeOfUse.FAMRQT),
}


@dataclass
class Telling:
    """A history while it is told: what was recorded, in order, and the moment it has come to."""

    random: Random
    now: datetime = NOON
    patient: list[Event] = field(default_factory=list)
    facilities: list[Event] = field(default_factory=list)
    windows: list[Event] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)  # at which something begins or ends

    def number(self) -> int:
        return 1 + len(self.patient) + len(self.facilities) + len(self.windows)

    def period(self, *, ahead: bool = False) -> dict[str, Any]:
        since = self.now + timedelta(hours=self.random.randrange(4)) if ahead else self.now
        until = since + timedelta(hours=self.random.randrange(1, 9))
        self.moments += [since, until]
        return {"since": since, "until": until}

    def any_of(self, events: list[Event], kind: type[Event]) -> UUID:
        """The id of one that was recorded, if there is one."""
        found = [one.event_id for one in events if isinstance(one, kind)]
        return self.random.choice(found or [an_event(0)])

    def classes(self, fewest: int = 0) -> tuple[RecordClass, ...]:
        return tuple(self.random.sample(list(RecordClass), self.random.randint(fewest, len(RecordClass))))


def _grant(it: Telling) -> Event:
    letter = it.random.choice((None, None, LETTER, OTHER_LETTER))
    return granted(
        **of_patient(it.number()),
        facility=it.random.choice(FACILITIES),
        classes=it.classes(1) if letter is None else (RecordClass.REFERRAL,),
        purpose=it.random.choice((*[PurposeOfUse.TREAT] * 5, PurposeOfUse.HPAYMT)),
        given=it.random.choice(("card-reader", "oral", "patient")),
        document=letter,
        **it.period(),
    )


def _withdrawal(it: Telling) -> Event:
    return withdrawn(
        **of_patient(it.number()),
        facility=it.random.choice(FACILITIES),
        classes=it.classes() if it.random.random() < 0.7 else (),
        given=it.random.choice((None, None, "card-reader", "patient")),
        document=it.random.choice((None, None, None, LETTER)),
    )


def _denial(it: Telling) -> Event:
    return ConsentDenied(
        **of_patient(it.number()),
        facility=it.random.choice((None, *FACILITIES)),
        classes=tuple(it.random.sample(list(RecordClass), it.random.choice((0, 1, 1, 2)))),
        recorded_by="patient",
    )


def _proxy(it: Telling) -> Event:
    return ProxyAppointed(
        **of_patient(it.number()),
        person=it.random.choice((MOTHER, "father")),
        relation=it.random.choice(list(ProxyRelation)),
        recorded_by="operator-ono",
        **it.period(),
    )


def _emergency(it: Telling) -> Event:
    return EmergencyDeclared(
        **of_patient(it.number()),
        person=it.random.choice(PEOPLE),
        facility=it.random.choice((HOSPITAL, HOSPITAL, CLINIC)),
        reason="意識なし",
        identified_by="ID",
        shows_undelivered=it.random.random() < 0.3,
        **it.period(),
    )


def _widened(it: Telling) -> Event:
    emergency = it.any_of(it.patient, EmergencyDeclared)
    return EmergencyWidened(**of_patient(it.number()), emergency=emergency, person=DOCTOR, reason="手術歴")


def _emergency_ended(it: Telling) -> Event:
    emergency = it.any_of(it.patient, EmergencyDeclared)
    return EmergencyEnded(**of_patient(it.number()), emergency=emergency, recorded_by=DOCTOR)


def _lifted(it: Telling) -> Event:
    denial = it.any_of(it.patient, ConsentDenied)
    return DenialLifted(**of_patient(it.number()), denial=denial, recorded_by="patient")


def _proxy_ended(it: Telling) -> Event:
    proxy = it.any_of(it.patient, ProxyAppointed)
    return ProxyEnded(**of_patient(it.number()), proxy=proxy, recorded_by="patient")


def _of_facility(it: Telling) -> dict[str, Any]:
    facility = it.random.choice((HOSPITAL, HOSPITAL, CLINIC))
    return {"facility": facility, **of_owner(facility_owner(facility), it.number())}


def _listed(it: Telling) -> Event:
    return FacilityListed(
        **_of_facility(it),
        name="試験病院",
        kind=it.random.choice((*[FacilityKind.HOSPITAL] * 5, FacilityKind.CLINIC, FacilityKind.PHARMACY)),
        municipality=it.random.choice((HERE, HERE, ELSEWHERE, None)),
        emergency=it.random.random() < 0.8,
    )


def _closed(it: Telling) -> Event:
    return FacilityClosed(**_of_facility(it), reason="廃止届")


def _right(it: Telling) -> Event:
    return EmergencyRightGiven(**_of_facility(it), person=it.random.choice(PEOPLE), **it.period())


def _right_taken(it: Telling) -> Event:
    given = [one for one in it.facilities if isinstance(one, EmergencyRightGiven)]
    if not given:
        return _right(it)
    right = it.random.choice(given)
    owner = of_owner(facility_owner(right.facility), it.number())
    return EmergencyRightTaken(**owner, facility=right.facility, right=right.event_id)


def _some(it: Telling) -> tuple[str, ...]:
    return tuple(it.random.sample((HERE, ELSEWHERE, "01100"), it.random.randint(1, 3)))


def _window(it: Telling) -> Event:
    owner = of_owner(disaster_owner(), it.number())
    return DisasterWindowOpened(**owner, municipalities=_some(it), reason="地震", **it.period(ahead=True))


def _window_closed(it: Telling) -> Event:
    window = it.any_of(it.windows, DisasterWindowOpened)
    listed = _some(it) if it.random.random() < 0.6 else ()
    return DisasterWindowClosed(
        **of_owner(disaster_owner(), it.number()), window=window, municipalities=listed
    )


_OF_PATIENT: dict[Callable[[Telling], Event], int] = {
    _grant: 6,
    _withdrawal: 2,
    _denial: 2,
    _lifted: 2,
    _proxy: 2,
    _proxy_ended: 1,
    _emergency: 4,
    _widened: 2,
    _emergency_ended: 1,
}
_OF_FACILITIES: dict[Callable[[Telling], Event], int] = {_listed: 3, _closed: 1, _right: 4, _right_taken: 1}
_OF_WINDOWS: dict[Callable[[Telling], Event], int] = {_window: 3, _window_closed: 1}
"""What may happen, and how often beside the others."""


def a_history(random: Random) -> tuple[History, list[datetime]]:
    """With the moments, from its last event on, at which something may begin or end, and those just before."""
    it = Telling(random)
    it.facilities.append(_listed(it))
    for _ in range(random.randint(1, EVENTS_MOST)):
        it.now += random.choice((timedelta(), A_MICROSECOND, timedelta(minutes=20), timedelta(hours=1)))
        stream, kinds = random.choice(
            (
                (it.patient, _OF_PATIENT),
                (it.patient, _OF_PATIENT),
                (it.facilities, _OF_FACILITIES),
                (it.windows, _OF_WINDOWS),
            )
        )
        (happens,) = random.choices(list(kinds), list(kinds.values()))
        stream.append(happens(it))
    to_come = [it.now]
    for moment in it.moments:
        to_come += [one for one in (moment - A_MICROSECOND, moment) if one >= it.now]
    history = History(
        patient=tuple(it.patient),
        facilities=tuple(it.facilities),
        windows=tuple(it.windows),
        registered_here=random.random() < 0.2,
    )
    return history, to_come


def a_read(random: Random, history: History, at: datetime) -> Request:
    """By somebody who may well be let in."""
    caller: Caller = CALLERS[
        random.choice((*CALLERS, *["CLINICIAN"] * 14, *["PHARMACIST"] * 4, *["PATIENT another"] * 4))
    ]
    if caller.facility is not None:
        person, facility = (
            random.choice((*[DOCTOR] * 3, "dr-ito")),
            random.choice((HOSPITAL, HOSPITAL, CLINIC)),
        )
        caller = replace(caller, person=person, facility=facility)
    purposes = _PURPOSES.get(caller.role, ()) if random.random() < 0.95 else ()
    claim = SCOPES[random.choice((*SCOPES, *["*"] * 6))]
    purpose = random.choice(purposes or tuple(PurposeOfUse))
    return a_request(caller, purpose, scopes_for(caller.role, claim), history.registered_here, at)


def compared_at_random(histories: int, random: Random, *, until_first_fault: bool = False) -> Comparison:
    """Some reads of each history, each of some things."""
    found = Comparison()
    for number in range(histories):
        history, moments = a_history(random)
        for _ in range(READS):
            request = a_read(random, history, random.choice(moments))
            theirs = evaluate(request, history.patient, history.facilities, history.windows)
            ours = decided(in_our_words(request), folded(history, request))
            found.compare(f"history {number}, {request}", ours, theirs, random.sample(THINGS, THINGS_ASKED))
        if until_first_fault and found.faults:
            break
    return found
