"""What may be said before a decision, one function for each kind of event, and what it adds up to."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from examples import EVENT, HOSPITAL, NOON, PATIENT, a_request
from tsuzuri.domain import disasters, facilities
from tsuzuri.domain.consents import Consents, evolve
from tsuzuri.domain.events import (
    ConsentDenied,
    DisasterWindowClosed,
    DisasterWindowOpened,
    EmergencyDeclared,
    EmergencyRightGiven,
    EmergencyRightTaken,
    Event,
    FacilityListed,
    ProxyAppointed,
    originator,
)
from tsuzuri.domain.explanations import Explanation, explain
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.policies import Policies, Windows
from tsuzuri.domain.vocabulary import FacilityKind, ProxyRelation, Stream

AN_HOUR = timedelta(hours=1)
NEWER = UUID(int=EVENT.int + 7)
HERE = "17202"


def said(kind: type[Any], /, *, owner: UUID = PATIENT, stream: Stream = Stream.CONSENT, **about: Any) -> Any:
    usual = {
        "originator_id": originator(owner, stream),
        "originator_version": 3,
        "event_id": EVENT,
        "recorded_by": "somebody",
    }
    if stream is Stream.CONSENT:
        usual["patient"] = PATIENT
    fields = kind.__dataclass_fields__
    return kind(**{name: value for name, value in (usual | about).items() if name in fields})


def denied(**about: Any) -> ConsentDenied:
    usual: dict[str, Any] = {"facility": HOSPITAL, "event_id": NEWER}
    event: ConsentDenied = said(ConsentDenied, **usual | about)
    return event


def appointed(**about: Any) -> ProxyAppointed:
    usual: dict[str, Any] = {"person": "mother", "relation": ProxyRelation.PARENT, "since": NOON - AN_HOUR}
    event: ProxyAppointed = said(ProxyAppointed, **usual | {"until": NOON + AN_HOUR} | about)
    return event


def declared(**about: Any) -> EmergencyDeclared:
    usual: dict[str, Any] = {
        "person": "dr-hamada",
        "facility": HOSPITAL,
        "reason": "意識なし",
        "identified_by": "ID",
    }
    period = {"since": NOON - AN_HOUR / 2, "until": NOON + AN_HOUR / 2}
    event: EmergencyDeclared = said(EmergencyDeclared, **usual | period | about)
    return event


def right(**about: Any) -> EmergencyRightGiven:
    usual: dict[str, Any] = {
        "facility": HOSPITAL,
        "person": "dr-hamada",
        "since": NOON - AN_HOUR,
        "until": NOON + AN_HOUR,
    }
    owner = facility_owner(HOSPITAL)
    event: EmergencyRightGiven = said(EmergencyRightGiven, owner=owner, stream=Stream.RECORD, **usual | about)
    return event


def taken() -> EmergencyRightTaken:
    event: EmergencyRightTaken = said(
        EmergencyRightTaken,
        owner=facility_owner(HOSPITAL),
        stream=Stream.RECORD,
        facility=HOSPITAL,
        right=EVENT,
        event_id=NEWER,
    )
    return event


def listed(**about: Any) -> FacilityListed:
    usual: dict[str, Any] = {
        "facility": HOSPITAL,
        "name": "H",
        "kind": FacilityKind.HOSPITAL,
        "emergency": True,
    }
    owner = facility_owner(HOSPITAL)
    event: FacilityListed = said(
        FacilityListed, owner=owner, stream=Stream.RECORD, **usual | {"municipality": HERE} | about
    )
    return event


def window(**about: Any) -> DisasterWindowOpened:
    usual: dict[str, Any] = {
        "municipalities": (HERE,),
        "since": NOON - AN_HOUR,
        "until": NOON + AN_HOUR,
        "reason": "地震",
    }
    event: DisasterWindowOpened = said(
        DisasterWindowOpened, owner=disaster_owner(), stream=Stream.RECORD, **usual | about
    )
    return event


def closed(*municipalities: str) -> DisasterWindowClosed:
    event: DisasterWindowClosed = said(
        DisasterWindowClosed,
        owner=disaster_owner(),
        stream=Stream.RECORD,
        window=EVENT,
        municipalities=municipalities,
        event_id=NEWER,
    )
    return event


def explained(*told: Event, **asked: Any) -> Explanation:
    return explain(a_request(**asked), *states(told), told)


def states(told: Iterable[Any]) -> tuple[Consents, Policies]:
    """What events add up to, in the streams that they are of."""
    consents, windows = Consents(PATIENT), Windows(disaster_owner())
    entry = FacilityEntry(facility_owner(HOSPITAL))
    for event in told:
        if event.STREAM is Stream.CONSENT:
            consents = evolve(consents, event)
        elif isinstance(event, DisasterWindowOpened | DisasterWindowClosed):
            windows = disasters.evolve(windows, event)
        else:
            entry = facilities.evolve(entry, event)
    return consents, Policies(entry, windows)
