"""Who may see what, as the rules' text has it: tables first, then the little that looks things up in them.

A second opinion. Written from the text alone, it uses nothing of ours but the events and their words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Protocol, TypeVar
from uuid import UUID

from tsuzuri.domain.events import (
    ConsentDenied,
    ConsentGranted,
    ConsentWithdrawn,
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
from tsuzuri.domain.vocabulary import SIX_INFORMATIONS, AccessBasis, Flag, RecordClass, Role
from tsuzuri.domain.vocabulary import PurposeOfUse as Purpose

CARE = (Purpose.TREAT, Purpose.ETREAT, Purpose.BTG, Purpose.DISASTER)
PURPOSES: dict[Role, tuple[Purpose, ...]] = {
    Role.CLINICIAN: CARE,
    Role.PHARMACIST: CARE,  # an emergency is refused later, for want of the right
    Role.PATIENT: (Purpose.PATRQT, Purpose.FAMRQT),
}
"""Which role may ask for which purpose. A role that is not here reads no record."""

BASES: dict[Purpose, tuple[AccessBasis, ...]] = {
    Purpose.TREAT: (AccessBasis.CONSENT, AccessBasis.REFERRAL, AccessBasis.OWN_FACILITY),
    Purpose.ETREAT: (AccessBasis.EMERGENCY, AccessBasis.OWN_FACILITY),
    Purpose.BTG: (AccessBasis.EMERGENCY, AccessBasis.OWN_FACILITY),
    Purpose.DISASTER: (AccessBasis.DISASTER, AccessBasis.OWN_FACILITY),
    Purpose.PATRQT: (AccessBasis.SELF,),
    Purpose.FAMRQT: (AccessBasis.PROXY,),
}
"""On what a read for a purpose may rest."""

ALL = frozenset(RecordClass)
SIX = frozenset(SIX_INFORMATIONS)
LETTER = frozenset({RecordClass.REFERRAL})
TABLE = SIX | {RecordClass.CHECKUP_REPORT}
WITHOUT_CONSENT = TABLE | {RecordClass.DISCHARGE_SUMMARY}

LASTING = frozenset({Flag.LTS})
TO_CLINICIANS = frozenset({Flag.LTS, Flag.UNINFORMED})
EVERY_FLAG = frozenset(Flag)

SIGHT: dict[AccessBasis, tuple[frozenset[RecordClass], frozenset[Flag], bool]] = {
    AccessBasis.CONSENT: (ALL - LETTER, TO_CLINICIANS, True),
    AccessBasis.REFERRAL: (LETTER, TO_CLINICIANS, True),
    AccessBasis.OWN_FACILITY: (ALL, EVERY_FLAG, False),
    AccessBasis.EMERGENCY: (WITHOUT_CONSENT, TO_CLINICIANS, False),
    AccessBasis.DISASTER: (WITHOUT_CONSENT, TO_CLINICIANS, True),
    AccessBasis.SELF: (ALL, LASTING, False),
    AccessBasis.PROXY: (ALL, LASTING, False),
}
"""The most that a basis opens: classes, flags, and whether a denial (拒否) takes from it."""

CONTEXTS = {Role.PATIENT: "patient", Role.SYSTEM: "system"}  # everybody else: user
RESOURCES: dict[str, frozenset[RecordClass]] = {
    "Condition": frozenset({RecordClass.CONDITION}),
    "AllergyIntolerance": frozenset({RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY}),
    "Observation": frozenset({RecordClass.INFECTION, RecordClass.LAB_RESULT}),
    "MedicationRequest": frozenset({RecordClass.PRESCRIPTION}),
    "DocumentReference": ALL - SIX,
    "*": ALL,
}
SCOPE = re.compile(r"(patient|user|system)/(\w+|\*)\.(c?r?u?d?s?)")  # SMART v2, without a query


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks, where, why, with which SMART scopes, and when."""

    person: str
    role: Role
    facility: str | None
    purpose: Purpose
    scopes: tuple[str, ...]
    patient: UUID  # whose record
    own_patient: UUID | None = None  # who the person is, where she is a patient
    registered_here: bool = False  # whether the facility has registered anything of the patient's
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An entry or a document, as far as it matters to who may see it."""

    record_class: RecordClass
    flags: frozenset[Flag] = frozenset()
    sender: str
    recipient: str | None = None  # of the letter it is or lies in
    document: UUID | None = None
    table: bool = False  # whether it is in the emergency table


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What one basis opens. None: whichever."""

    basis: AccessBasis
    classes: frozenset[RecordClass]
    flags: frozenset[Flag]
    sender: str | None = None
    recipient: str | None = None
    document: UUID | None = None
    table: bool = False  # only what is in the emergency table

    def shows(self, thing: Thing) -> bool:
        return (
            thing.record_class in self.classes
            and thing.flags <= self.flags
            and self.sender in (None, thing.sender)
            and self.recipient in (None, thing.recipient)
            and self.document in (None, thing.document)
            and (thing.table or not self.table)
        )


@dataclass(frozen=True)
class Answer:
    """A refusal by its name, or what is open."""

    refused: str | None = None
    openings: tuple[Opening, ...] = ()

    def sees(self, thing: Thing) -> bool:
        return any(opening.shows(thing) for opening in self.openings)


def evaluate(
    request: Request,
    patient_events: Sequence[Event],
    facility_events: Sequence[Event],
    window_events: Sequence[Event],
) -> Answer:
    """The events are those so far, in order: of the patient's consent stream, of facilities, of disaster windows."""
    if request.role not in PURPOSES:
        return Answer("ROLE_NOT_PERMITTED")
    if request.purpose not in PURPOSES[request.role]:
        return Answer("PURPOSE_NOT_PERMITTED")
    readable = classes_readable(request.role, request.scopes)
    if not readable:
        return Answer("SCOPE_NOT_PERMITTED")
    bases = BASES[request.purpose]
    if AccessBasis.EMERGENCY in bases and not _emergency_right(request, facility_events):
        return Answer("EMERGENCY_NOT_PERMITTED")
    if AccessBasis.DISASTER in bases and not _disaster(request, facility_events, window_events):
        return Answer("DISASTER_NOT_OPEN")
    openings = tuple(
        narrowed
        for opening in _openings(request, patient_events)
        if opening.basis in bases and (narrowed := _narrowed(opening, request, readable, patient_events))
    )
    if AccessBasis.EMERGENCY in bases and not any(one.basis is AccessBasis.EMERGENCY for one in openings):
        return Answer("EMERGENCY_NOT_DECLARED")
    return Answer(openings=openings) if openings else Answer("NOT_AVAILABLE")


@cache
def classes_readable(role: Role, scopes: tuple[str, ...]) -> frozenset[RecordClass]:
    """What r and s are both granted for."""
    granted: dict[str, set[RecordClass]] = {"r": set(), "s": set()}
    for scope in scopes:
        if (parts := SCOPE.fullmatch(scope)) and parts[1] == CONTEXTS.get(role, "user"):
            for right in granted.keys() & set(parts[3]):
                granted[right] |= RESOURCES.get(parts[2], frozenset())
    return frozenset(granted["r"] & granted["s"])


def _openings(request: Request, events: Sequence[Event]) -> Iterator[Opening]:
    """Whatever the patient's events and the request itself open, before purpose, scope and denials."""
    facility = request.facility
    for grant in _grants(events):
        if (grant.facility, grant.purpose) != (facility, request.purpose) or not _holds(grant, request.at):
            continue
        listed = frozenset(grant.classes)
        letters = replace(_opening(AccessBasis.REFERRAL, listed), recipient=facility)
        if grant.document is None:
            yield _opening(AccessBasis.CONSENT, listed)
            yield letters
        elif letters.classes:
            yield replace(letters, classes=SIX | LETTER, document=grant.document)
    for emergency in _standing(events, EmergencyDeclared):
        here = (emergency.person, emergency.facility) == (request.person, facility)
        if here and _holds(emergency, request.at):
            widened = any(
                isinstance(e, EmergencyWidened) and e.emergency == emergency.event_id for e in events
            )
            one = _opening(AccessBasis.EMERGENCY, ALL if widened else TABLE)
            flags = EVERY_FLAG if emergency.shows_undelivered else one.flags
            yield replace(one, flags=flags, table=not widened)
    yield _opening(AccessBasis.DISASTER)
    if facility is not None and request.registered_here:
        yield replace(_opening(AccessBasis.OWN_FACILITY), sender=facility)
    if request.own_patient == request.patient:
        yield _opening(AccessBasis.SELF)
    for proxy in _standing(events, ProxyAppointed):
        if proxy.person == request.person and _holds(proxy, request.at):
            yield _opening(AccessBasis.PROXY)


def _opening(basis: AccessBasis, listed: frozenset[RecordClass] = ALL) -> Opening:
    classes, flags, _ = SIGHT[basis]
    return Opening(basis=basis, classes=classes & listed, flags=flags)


def _narrowed(
    opening: Opening, request: Request, readable: frozenset[RecordClass], events: Sequence[Event]
) -> Opening | None:
    """What the token's scopes and the denials leave of it. Where the letter itself is closed, so is all it holds."""
    left = opening.classes & readable
    if SIGHT[opening.basis][2]:
        for denial in _standing(events, ConsentDenied):
            if denial.facility in (None, request.facility):
                left -= frozenset(denial.classes) or ALL
    if opening.basis is AccessBasis.REFERRAL and not left >= LETTER:
        return None
    return replace(opening, classes=left) if left else None


def _grants(events: Sequence[Event]) -> list[ConsentGranted]:
    """As they stand: the later takes the earlier's place, and what is withdrawn is taken out."""
    grants: dict[tuple[object, ...], ConsentGranted] = {}
    for event in events:
        if isinstance(event, ConsentGranted):
            grants[event.facility, event.purpose, event.given, event.document] = event
        elif isinstance(event, ConsentWithdrawn):
            for key, grant in grants.items():
                meant = (
                    event.facility == grant.facility
                    and event.given in (None, grant.given)
                    and event.document in (None, grant.document)
                )
                if meant:
                    taken = event.classes or grant.classes
                    kept = tuple(one for one in grant.classes if one not in taken)
                    grants[key] = replace(grant, classes=kept)
    return list(grants.values())


def _listed(number: str | None, events: Sequence[Event]) -> FacilityListed | None:
    """The facility as last listed. Closed, it is like one that never was."""
    listed: FacilityListed | None = None
    for event in events:
        if isinstance(event, FacilityListed | FacilityClosed) and event.facility == number:
            listed = event if isinstance(event, FacilityListed) else None
    return listed


def _emergency_right(request: Request, events: Sequence[Event]) -> bool:
    listed = _listed(request.facility, events)
    if request.role is not Role.CLINICIAN or not listed or not listed.emergency or listed.kind != "HOSPITAL":
        return False
    return any(
        (right.facility, right.person) == (request.facility, request.person) and _holds(right, request.at)
        for right in _standing(events, EmergencyRightGiven)
    )


def _disaster(request: Request, facility_events: Sequence[Event], window_events: Sequence[Event]) -> bool:
    listed = _listed(request.facility, facility_events)
    municipality = listed.municipality if listed else None
    for window in window_events:
        if not isinstance(window, DisasterWindowOpened) or municipality not in window.municipalities:
            continue
        closed = any(
            isinstance(event, DisasterWindowClosed)
            and event.window == window.event_id
            and (not event.municipalities or municipality in event.municipalities)
            for event in window_events
        )
        if _holds(window, request.at) and not closed:
            return True
    return False


class _Lasting(Protocol):
    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime: ...


def _holds(lasting: _Lasting, at: datetime) -> bool:
    return lasting.since <= at < lasting.until


E = TypeVar("E", bound=Event)


def _standing(events: Sequence[Event], kind: type[E]) -> list[E]:
    """The events of one kind that no later event has taken back by their id."""
    taken_back = set()
    for event in events:
        match event:
            case DenialLifted(denial=ended) | EmergencyEnded(emergency=ended) | ProxyEnded(proxy=ended):
                taken_back.add(ended)
            case EmergencyRightTaken(right=ended):
                taken_back.add(ended)
    return [event for event in events if isinstance(event, kind) and event.event_id not in taken_back]
