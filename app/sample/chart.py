"""One patient's chart while a course writes it: what each facility holds of her, and the Bundles sent so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from random import Random

from tsuzuri.app.sample import information
from tsuzuri.app.sample.checkup import Body, checkup_report, draw_measures
from tsuzuri.app.sample.codes import Allergen, Disease
from tsuzuri.app.sample.documents import Contents, discharge_summary, patient_summary, referral
from tsuzuri.app.sample.findings import Diagnosis, Result, Sensitivity
from tsuzuri.app.sample.information import Envelope
from tsuzuri.app.sample.people import Person
from tsuzuri.app.sample.places import CHECKUP_CENTRE, Place
from tsuzuri.app.sample.resources import Json, Visit

JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Sent:
    at: datetime
    kind: str
    facility: str
    bundle: Json


class Chart:
    """Courses call it in the order of time: problem and allergy lists grow, and each send carries the whole list."""

    def __init__(self, person: Person, rng: Random) -> None:
        self.person, self.rng = person, rng
        self.sent: list[Sent] = []
        self._body = Body.draw(rng, person.sex)
        self._problems: dict[str, dict[str, Diagnosis]] = {}
        self._sensitivities: dict[str, dict[str, Sensitivity]] = {}

    def visit(self, place: Place, department: str, day: date, setting: str = "AMB") -> Visit:
        if setting == "AMB" and day.weekday() >= 5:
            day += timedelta(days=7 - day.weekday())  # outpatients come on working days
        at = datetime(
            day.year, day.month, day.day, 9 + self.rng.randrange(6), self.rng.randrange(60), tzinfo=JAPAN
        )
        return Visit(place, place.doctor(department), at, setting)

    def problems(self, place: Place) -> list[Diagnosis]:
        return list(self._problems.get(place.number, {}).values())

    def sensitivities(self, place: Place) -> list[Sensitivity]:
        return list(self._sensitivities.get(place.number, {}).values())

    def diagnose(
        self,
        visit: Visit,
        disease: Disease,
        onset: str,
        *,
        flags: tuple[str, ...] = (),
        principal: bool = False,
        side: tuple[str, str] | None = None,
        ended: str | None = None,
    ) -> Diagnosis:
        """Write one line of the facility's problem list; nothing is sent yet."""
        made = Diagnosis(disease, onset, visit.at, ended, flags, principal, side)
        self._problems.setdefault(visit.place.number, {})[disease.number] = made
        return made

    def resolve(self, visit: Visit, disease: Disease, ended: str) -> None:
        lines = self._problems[visit.place.number]
        lines[disease.number] = replace(lines[disease.number], ended=ended, recorded=visit.at)

    def strike(self, visit: Visit, disease: Disease) -> None:
        """Take a line off the list: it was a mistake, and the next send leaves it out."""
        del self._problems[visit.place.number][disease.number]

    def sensitise(self, visit: Visit, allergen: Allergen, onset: str, flags: tuple[str, ...] = ()) -> None:
        made = Sensitivity(allergen, onset, visit.at, flags)
        self._sensitivities.setdefault(visit.place.number, {})[allergen.code] = made

    def send_problems(self, visit: Visit) -> None:
        at = visit.at + timedelta(hours=2, minutes=self.rng.randrange(50))
        envelope = self._envelope(visit.place, at, "CON")
        bundle = information.conditions(envelope, self.person, visit, self.problems(visit.place))
        self._send(visit, at, "conditions", bundle)

    def send_sensitivities(self, visit: Visit) -> None:
        at = visit.at + timedelta(hours=3, minutes=self.rng.randrange(50))
        envelope = self._envelope(visit.place, at, "ALG")
        bundle = information.allergies(envelope, self.person, visit, self.sensitivities(visit.place))
        self._send(visit, at, "allergies", bundle)

    def send_report(
        self, visit: Visit, results: Sequence[Result], *, corrects: str | None = None, delay_days: int = 0
    ) -> str:
        """One laboratory report; under the number it *corrects* it replaces the first. Returns its number."""
        issued = visit.at + timedelta(days=delay_days, hours=2)
        at = issued + timedelta(hours=2, minutes=self.rng.randrange(50))
        envelope = self._envelope(visit.place, at, "LAB")
        if corrects:
            envelope = replace(envelope, number=corrects)
        bundle = information.report(envelope, self.person, visit, issued, results)
        self._send(visit, at, "report", bundle)
        return envelope.number

    def refer(self, visit: Visit, to: Place, department: str, purpose: str, contents: Contents) -> None:
        at = visit.at + timedelta(hours=1, minutes=self.rng.randrange(50))
        envelope = self._envelope(visit.place, at, "REF")
        bundle = referral(envelope, self.person, visit, to, to.doctor(department), purpose, contents)
        self._send(visit, at, "referral", bundle)

    def discharge(self, visit: Visit, admitted: date, contents: Contents) -> None:
        at = visit.at + timedelta(hours=4, minutes=self.rng.randrange(50))
        envelope = self._envelope(visit.place, at, "DSC")
        bundle = discharge_summary(envelope, self.person, visit, admitted, visit.at.date(), contents)
        self._send(visit, at, "discharge", bundle)

    def summarise(self, visit: Visit, plan: str) -> None:
        at = visit.at + timedelta(hours=1, minutes=self.rng.randrange(50))
        envelope = self._envelope(visit.place, at, "PCS")
        current = [diagnosis for diagnosis in self.problems(visit.place) if not diagnosis.ended]
        self._send(visit, at, "summary", patient_summary(envelope, self.person, visit, current, plan))

    def check_up(
        self, day: date, code: str, hba1c: float, systolic: int, ldl: int, yes: Sequence[str] = ()
    ) -> None:
        visit = self.visit(CHECKUP_CENTRE, "健診科", day)
        measured = draw_measures(self.rng, self._body, hba1c, systolic, ldl)
        at = visit.at + timedelta(days=14, hours=1)  # a report follows the day itself by two weeks
        envelope = self._envelope(visit.place, at, "CHK")
        self._send(visit, at, "checkup", checkup_report(envelope, self.person, visit, code, measured, yes))

    def _envelope(self, place: Place, at: datetime, kind: str) -> Envelope:
        # Local number, day and running number: unique in the facility's year without any counter between patients.
        local = f"{kind}-{self.person.local_number(place)}-{at:%m%d}-{len(self.sent):03d}"
        return Envelope(f"{place.number}^{at.year}^{local}", at, self.rng)

    def _send(self, visit: Visit, at: datetime, kind: str, bundle: Json) -> None:
        self.sent.append(Sent(at, kind, visit.place.number, bundle))
