"""Who may ask, with which scopes, and what may have happened before: the axes of the product on which two agree.

All of it is about one patient and one hospital, at noon.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

from examples import CLINIC, HOSPITAL, NOON, PATIENT, STRANGER, granted, withdrawn
from oracle.access import CONTEXTS, Request
from tsuzuri.domain.events import (
    ConsentDenied,
    ConsentGranted,
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
    originator,
)
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass, Role, Stream

A_MICROSECOND = timedelta(microseconds=1)
AN_HOUR = timedelta(hours=1)
LETTER, OTHER_LETTER = UUID(int=0xA1), UUID(int=0xA2)
DOCTOR, MOTHER = "dr-hamada", "mother"
HERE, ELSEWHERE = "13101", "17202"  # municipalities


def an_event(number: int) -> UUID:
    return UUID(int=0xACCE5500000040008000000000000000 + number)


def of_patient(number: int) -> dict[str, Any]:
    """What every event of her consent stream has."""
    return {
        "originator_id": originator(PATIENT, Stream.CONSENT),
        "originator_version": number,
        "event_id": an_event(number),
        "patient": PATIENT,
    }


def of_owner(owner: UUID, number: int) -> dict[str, Any]:
    return {
        "originator_id": originator(owner, Stream.RECORD),
        "originator_version": number,
        "event_id": an_event(number),
        "recorded_by": "operator-ono",
    }


def denied(facility: str | None, *classes: RecordClass) -> ConsentDenied:
    return ConsentDenied(**of_patient(80), facility=facility, classes=classes, recorded_by="patient")


_HOUR_AROUND: dict[str, Any] = {"since": NOON - AN_HOUR, "until": NOON + AN_HOUR}
_HOSPITAL = of_owner(facility_owner(HOSPITAL), 1)
LISTED = FacilityListed(
    **_HOSPITAL, facility=HOSPITAL, name="試験病院", kind="HOSPITAL", municipality=HERE, emergency=True
)
RIGHT = EmergencyRightGiven(
    **of_owner(facility_owner(HOSPITAL), 2), facility=HOSPITAL, person=DOCTOR, **_HOUR_AROUND
)
CLOSED = FacilityClosed(**of_owner(facility_owner(HOSPITAL), 3), facility=HOSPITAL, reason=None)
CONSENT = granted(
    event_id=an_event(10), classes=tuple(c for c in RecordClass if c is not RecordClass.REFERRAL)
)
LETTERS = granted(event_id=an_event(11), classes=(RecordClass.REFERRAL,), given="patient")
ONE_LETTER = granted(event_id=an_event(12), classes=(RecordClass.REFERRAL,), given="oral", document=LETTER)
EMERGENCY = EmergencyDeclared(
    **of_patient(20),
    person=DOCTOR,
    facility=HOSPITAL,
    reason="意識なし",
    identified_by="ID",
    **_HOUR_AROUND,
)
WIDENED = EmergencyWidened(**of_patient(21), emergency=EMERGENCY.event_id, person=DOCTOR, reason="手術歴")
PROXY = ProxyAppointed(
    **of_patient(30), person=MOTHER, relation=ProxyRelation.PARENT, **_HOUR_AROUND, recorded_by="operator-ono"
)
WINDOW = DisasterWindowOpened(
    **of_owner(disaster_owner(), 40), municipalities=(HERE, ELSEWHERE), reason="地震", **_HOUR_AROUND
)


@dataclass(frozen=True, kw_only=True)
class History:
    """The events so far of the patient's consent stream, of the facilities and of the disaster windows."""

    patient: tuple[Event, ...] = ()
    facilities: tuple[Event, ...] = (LISTED, RIGHT)
    windows: tuple[Event, ...] = ()
    registered_here: bool = False

    def beside(self, other: "History") -> "History":
        """Both, at a hospital that takes emergencies."""
        return History(
            patient=self.patient + other.patient,
            windows=self.windows + other.windows,
            registered_here=self.registered_here or other.registered_here,
        )

    def then(self, *events: Event) -> "History":
        return replace(self, patient=self.patient + events)

    def changed(self, kinds: type[Event] | tuple[type[Event], ...], **changes: Any) -> "History":
        def each(events: tuple[Event, ...]) -> tuple[Event, ...]:
            return tuple(replace(one, **changes) if isinstance(one, kinds) else one for one in events)

        return replace(
            self,
            patient=each(self.patient),
            facilities=each(self.facilities),
            windows=each(self.windows),
        )


# --- on what a read may rest

BASES: Mapping[str, History] = {
    "consent": History(patient=(CONSENT,)),
    "referrals": History(patient=(LETTERS,)),
    "one letter": History(patient=(ONE_LETTER,)),
    "own facility": History(registered_here=True),
    "emergency": History(patient=(EMERGENCY,)),
    "widened": History(patient=(EMERGENCY, WIDENED)),
    "disaster": History(windows=(WINDOW,)),
    "proxy": History(patient=(PROXY,)),
}
PAIRS = {
    f"{one} + {other}": BASES[one].beside(BASES[other])
    for one, other in combinations(BASES, 2)
    if {one, other} != {"emergency", "widened"}
}
_ALL = History(patient=(EMERGENCY, WIDENED, CONSENT), windows=(WINDOW,), registered_here=True)
ODD_ONES = {
    "emergency with 未提供": History(patient=(replace(EMERGENCY, shows_undelivered=True),)),
    "emergency of another doctor": History(patient=(replace(EMERGENCY, person="dr-ito"),)),
    "emergency elsewhere": History(patient=(replace(EMERGENCY, facility=CLINIC),)),
    "all, but no right": replace(_ALL, facilities=(LISTED,)),
    "all, but another doctor's right": replace(_ALL, facilities=(LISTED, replace(RIGHT, person="dr-ito"))),
    "all, but a clinic": replace(_ALL, facilities=(replace(LISTED, kind="CLINIC"), RIGHT)),
    "all, but takes no emergencies": replace(
        _ALL, facilities=(LISTED, RIGHT, replace(LISTED, emergency=False))
    ),
    "all, but moved away": replace(_ALL, facilities=(LISTED, RIGHT, replace(LISTED, municipality="01100"))),
    "all, but closed": replace(_ALL, facilities=(LISTED, RIGHT, CLOSED)),
    "all, closed and open again": replace(_ALL, facilities=(LISTED, RIGHT, CLOSED, LISTED)),
    "all, but never listed": replace(_ALL, facilities=(RIGHT,)),
}
SITUATIONS: Mapping[str, History] = {"nothing": History(), **BASES, **ODD_ONES, **PAIRS}

# --- what became of it

_LASTING = (ConsentGranted, EmergencyDeclared, EmergencyRightGiven, ProxyAppointed, DisasterWindowOpened)
_CONDITION, _RESULTS = (RecordClass.CONDITION,), (RecordClass.LAB_RESULT,)


def _replaced(history: History) -> History:
    grants = [one for one in history.patient if isinstance(one, ConsentGranted)]
    return history.then(
        *(replace(one, event_id=an_event(90 + n), classes=_RESULTS) for n, one in enumerate(grants))
    )


def _taken_back(history: History) -> History:
    """Whatever can be ended by its id, but for the right."""
    return replace(
        history,
        patient=(
            *history.patient,
            EmergencyEnded(**of_patient(81), emergency=EMERGENCY.event_id, recorded_by=DOCTOR),
            ProxyEnded(**of_patient(82), proxy=PROXY.event_id, recorded_by="patient"),
        ),
        windows=(*history.windows, closed_for(HERE)),
    )


def closed_for(*municipalities: str) -> DisasterWindowClosed:
    return DisasterWindowClosed(
        **of_owner(disaster_owner(), 83), window=WINDOW.event_id, municipalities=municipalities
    )


def _without_right(history: History) -> History:
    taken = EmergencyRightTaken(
        **of_owner(facility_owner(HOSPITAL), 84), facility=HOSPITAL, right=RIGHT.event_id
    )
    return replace(history, facilities=(*history.facilities, taken))


STATES: Mapping[str, Callable[[History], History]] = {
    "in force": lambda it: it,
    "begins now": lambda it: it.changed(_LASTING, since=NOON),
    "not yet": lambda it: it.changed(_LASTING, since=NOON + A_MICROSECOND),
    "ends after now": lambda it: it.changed(_LASTING, until=NOON + A_MICROSECOND),
    "over now": lambda it: it.changed(_LASTING, until=NOON),
    "consent over": lambda it: it.changed(ConsentGranted, until=NOON),
    "emergency over": lambda it: it.changed(EmergencyDeclared, until=NOON),
    "other purpose": lambda it: it.changed(ConsentGranted, purpose=PurposeOfUse.HPAYMT),
    "other facility": lambda it: it.changed(ConsentGranted, facility=CLINIC),
    "withdrawn": lambda it: it.then(withdrawn()),
    "class withdrawn": lambda it: it.then(withdrawn(classes=_CONDITION)),
    "reader's withdrawn": lambda it: it.then(withdrawn(given="card-reader")),
    "letter withdrawn": lambda it: it.then(withdrawn(document=LETTER)),
    "withdrawn elsewhere": lambda it: it.then(withdrawn(facility=CLINIC)),
    "replaced": _replaced,
    "denied here": lambda it: it.then(denied(HOSPITAL)),
    "denied before": lambda it: replace(it, patient=(denied(HOSPITAL), *it.patient)),
    "denied to all": lambda it: it.then(denied(None)),
    "denied elsewhere": lambda it: it.then(denied(CLINIC)),
    "class denied": lambda it: it.then(denied(None, *_CONDITION)),
    "letters denied": lambda it: it.then(denied(HOSPITAL, RecordClass.REFERRAL)),
    "denied, lifted": lambda it: it.then(
        denied(HOSPITAL), DenialLifted(**of_patient(85), denial=an_event(80), recorded_by="patient")
    ),
    "taken back": _taken_back,
    "closed elsewhere": lambda it: replace(it, windows=(*it.windows, closed_for(ELSEWHERE))),
    "closed for all": lambda it: replace(it, windows=(*it.windows, closed_for())),
    "right taken": _without_right,
}

# --- who asks, and with what


@dataclass(frozen=True)
class Caller:
    role: Role
    person: str
    facility: str | None = None
    own_patient: UUID | None = None


CALLERS: Mapping[str, Caller] = {
    **{str(role): Caller(role, DOCTOR, HOSPITAL) for role in Role if role is not Role.PATIENT},
    "PATIENT herself": Caller(Role.PATIENT, "patient", None, PATIENT),
    "PATIENT another": Caller(Role.PATIENT, MOTHER, None, STRANGER),
}

WORTHLESS = (
    "openid",
    "{0}/Patient.rs",
    "{0}/*.cru",
    "{0}/*.read",
    "{0}/Condition.*",
    "{0}/Condition.rs?category=problem-list-item",
    "{1}/*.rs",
)
SCOPES: Mapping[str, str] = {
    "*": "{0}/*.cruds",
    "Condition": "{0}/Condition.rs",
    "DocumentReference": "{0}/DocumentReference.rs",
    "all but documents": "{0}/Condition.rs {0}/AllergyIntolerance.rs {0}/Observation.rs {0}/MedicationRequest.rs",
    "worthless ones": " ".join(WORTHLESS),
    "none": "",
}
"""What a token's `scope` claim may be, of the role's own context and of another."""


def scopes_for(role: Role, claim: str) -> tuple[str, ...]:
    own = CONTEXTS.get(role, "user")
    another = next(one for one in ("patient", "system", "user") if one != own)
    return tuple(claim.format(own, another).split())


def a_request(
    caller: Caller, purpose: PurposeOfUse, scopes: tuple[str, ...], registered_here: bool, at: datetime = NOON
) -> Request:
    return Request(
        person=caller.person,
        role=caller.role,
        facility=caller.facility,
        purpose=purpose,
        scopes=scopes,
        patient=PATIENT,
        own_patient=caller.own_patient,
        registered_here=registered_here,
        at=at,
    )


def requests(registered_here: bool) -> Iterator[tuple[str, Request]]:
    """Everybody for every purpose with every scope, each with a name."""
    for name, caller in CALLERS.items():
        for purpose in PurposeOfUse:
            for scope, claim in SCOPES.items():
                request = a_request(caller, purpose, scopes_for(caller.role, claim), registered_here)
                yield f"{name}, {purpose}, scope {scope}", request
