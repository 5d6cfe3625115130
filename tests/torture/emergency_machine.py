"""The life of emergencies as a state machine, beside a model that is no more than lists.

Rights are given and taken, hospitals listed anew, emergencies declared, widened, ended, and time goes by, often to the
very second at which something ends. After each step every person asks at every facility for every patient, and the
decision must be what the lists say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, product
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tsuzuri.domain import consents, denials, emergencies, emergency_rights, facilities
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.emergencies import NoSuchEmergency, UselessEmergency
from tsuzuri.domain.emergency_rights import UselessRight
from tsuzuri.domain.events import Event
from tsuzuri.domain.facilities import Facility, FacilityEntry, new_entry
from tsuzuri.domain.policies import Policies
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import (
    AccessBasis,
    FacilityKind,
    Flag,
    PurposeOfUse,
    RecordClass,
    Role,
)

START = datetime(2026, 11, 24, tzinfo=UTC)
PATIENTS = (UUID(int=1), UUID(int=2))
PEOPLE = ("dr-hamada", "dr-kudo")
PLACES = {
    "1310000001": FacilityKind.HOSPITAL,
    "1410000002": FacilityKind.HOSPITAL,
    "1510000003": FacilityKind.CLINIC,
}
PERSON, PLACE, PATIENT = st.sampled_from(PEOPLE), st.sampled_from(list(PLACES)), st.sampled_from(PATIENTS)
Decide = Callable[[AccessRequest, Consents, Policies], Permitted | Refused]


@dataclass
class Right:
    id: UUID
    person: str
    place: str
    until: datetime


@dataclass
class Opened:
    id: UUID
    person: str
    place: str
    patient: UUID
    until: datetime
    wide: bool = False


class EmergencyLives(RuleBasedStateMachine):
    """What holds after every step is the invariant at the end."""

    asked: Decide = staticmethod(decide)

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.ids = (UUID(int=number) for number in count(1_000))
        self.entries: dict[str, FacilityEntry] = {place: new_entry(place) for place in PLACES}
        self.said: dict[UUID, Consents] = {patient: Consents(patient) for patient in PATIENTS}
        self.taking: set[str] = set()  # the hospitals that take emergencies
        self.rights: list[Right] = []
        self.opened: list[Opened] = []
        self.a_facility_is_listed(next(iter(PLACES)), True)  # else most lives would end before they begin
        for person in PEOPLE:
            self.a_right_is_given(person, next(iter(PLACES)), 90)

    # --- what happens

    @rule(seconds=st.sampled_from([1, 60, 1_799, 3_600]))
    def time_goes_by(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.ends())
    @rule(before=st.booleans(), data=st.data())
    def it_is_the_very_second(self, before: bool, data: st.DataObject) -> None:
        end = data.draw(st.sampled_from(self.ends()))
        self.now = end - timedelta(microseconds=1) if before else end

    @rule(place=PLACE, emergency=st.booleans())
    def a_facility_is_listed(self, place: str, emergency: bool) -> None:
        kind = PLACES[place]
        takes = emergency and kind is FacilityKind.HOSPITAL
        entry = self.entries[place]
        event = facilities.enter(
            entry, Facility(place, "見本", kind, emergency=takes), recorded_by="o", event_id=next(self.ids)
        )
        if event is not None:
            self.entries[place] = facilities.evolve(entry, event)
        self.taking = self.taking | {place} if takes else self.taking - {place}

    @rule(person=PERSON, place=PLACE, minutes=st.sampled_from([10, 90]))
    def a_right_is_given(self, person: str, place: str, minutes: int) -> None:
        until = self.now + timedelta(minutes=minutes)
        try:
            event = emergency_rights.give(
                self.entries[place],
                event_id=next(self.ids),
                person=person,
                since=self.now,
                until=until,
                recorded_by="admin",
            )
        except UselessRight:
            assert place not in self.taking
            return
        assert place in self.taking
        self.entries[place] = facilities.evolve(self.entries[place], event)
        self.rights.append(Right(event.event_id, person, place, until))

    @precondition(lambda self: self.rights)
    @rule(data=st.data())
    def a_right_is_taken(self, data: st.DataObject) -> None:
        right = data.draw(st.sampled_from(self.rights))
        self.rights.remove(right)
        entry = self.entries[right.place]
        if any(held.because == right.id for held in entry.rights):  # else it is over, and forgotten
            event = emergency_rights.take(entry, right.id, event_id=next(self.ids), recorded_by="admin")
            self.entries[right.place] = facilities.evolve(entry, event)

    @rule(person=PERSON, place=PLACE, patient=PATIENT, minutes=st.sampled_from([0, 1, 60, 61]))
    def an_emergency_is_declared(self, person: str, place: str, patient: UUID, minutes: int) -> None:
        said = self.said[patient]
        until = self.now + timedelta(minutes=minutes)
        try:
            event = emergencies.declare(
                said,
                event_id=next(self.ids),
                person=person,
                facility=place,
                reason="意識なし",
                key=patient,
                since=self.now,
                until=until,
                shows_undelivered=False,
            )
        except UselessEmergency:
            assert minutes not in (1, 60)
            return
        assert minutes in (1, 60)
        self.said[patient] = consents.evolve(said, event)
        self.happened(event, patient)
        self.opened.append(Opened(event.event_id, person, place, patient, until))

    @precondition(lambda self: self.opened)
    @rule(data=st.data(), person=PERSON, place=PLACE, patient=PATIENT, ends=st.booleans())
    def somebody_widens_or_ends_it(
        self, data: st.DataObject, person: str, place: str, patient: UUID, ends: bool
    ) -> None:
        opened = data.draw(st.sampled_from(self.opened))
        by: dict[str, Any] = {"event_id": next(self.ids), "person": person, "facility": place, "at": self.now}
        hers = (opened.person, opened.place, opened.patient) == (person, place, patient)
        said = self.said[patient]
        try:
            event = (
                emergencies.end(said, opened.id, **by)
                if ends
                else emergencies.widen(said, opened.id, reason="手術", **by)
            )
        except NoSuchEmergency:
            assert not (hers and self.now < opened.until)
            return
        assert hers and self.now < opened.until
        self.said[patient] = consents.evolve(said, event)
        self.happened(event, patient)
        if ends:
            self.opened.remove(opened)
        else:
            opened.wide = True

    @rule(patient=PATIENT)
    def she_refuses_everybody(self, patient: UUID) -> None:
        said = self.said[patient]
        if not said.denials:
            event = denials.deny(said, event_id=next(self.ids), facility=None, classes=(), recorded_by="p")
            self.said[patient] = consents.evolve(said, event)

    def happened(self, event: Event, patient: UUID) -> None:
        """For whoever follows what the log takes in."""

    # --- what must hold

    @invariant()
    def everybody_sees_what_the_lists_say(self) -> None:
        if not hasattr(self, "now"):
            return
        for person, place, patient, role in product(
            PEOPLE, PLACES, PATIENTS, (Role.CLINICIAN, Role.PHARMACIST)
        ):
            request = AccessRequest(
                person=person,
                role=role,
                facility=place,
                own_patient=None,
                patient=patient,
                purpose=PurposeOfUse.BTG,
                readable=frozenset(RecordClass),
                at=self.now,
            )
            answer = type(self).asked(request, self.said[patient], Policies(self.entries[place]))
            assert self.told(answer) == self.expected(person, place, patient, role), (person, place, role)

    def expected(self, person: str, place: str, patient: UUID, role: Role) -> Any:
        entitled = (
            role is Role.CLINICIAN
            and place in self.taking
            and any((r.person, r.place) == (person, place) and self.now < r.until for r in self.rights)
        )
        if not entitled:
            return "EMERGENCY_NOT_PERMITTED"
        in_force = [
            (opened.id, opened.wide)
            for opened in self.opened
            if (opened.person, opened.place, opened.patient) == (person, place, patient)
            and self.now < opened.until
        ]
        return in_force or "EMERGENCY_NOT_DECLARED"

    @staticmethod
    def told(answer: Permitted | Refused) -> Any:
        if isinstance(answer, Refused):
            return str(answer.reason)
        for ground in answer.grounds:
            assert ground.basis is AccessBasis.EMERGENCY
            assert Flag.UNDELIVERED not in ground.flags
            assert (RecordClass.DISCHARGE_SUMMARY in ground.classes) is not ground.emergency_table
        return [(ground.because, not ground.emergency_table) for ground in answer.grounds]

    def ends(self) -> list[datetime]:
        ends = {right.until for right in self.rights} | {opened.until for opened in self.opened}
        return sorted(end for end in ends if end > self.now)
