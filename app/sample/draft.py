"""A document while it is written: the Composition, its sections, and the entries they name."""

from collections.abc import Sequence

from tsuzuri.app.sample.findings import Diagnosis, Result, Sensitivity, allergy, condition, observation
from tsuzuri.app.sample.information import Envelope
from tsuzuri.app.sample.people import Person
from tsuzuri.app.sample.resources import (
    CLINS,
    Json,
    Visit,
    coded,
    full_url,
    head,
    identified,
    narrative,
    patient,
    resource_number,
    stamp,
)
from tsuzuri.app.sample.treatment import Order, medication_request

_FHIR = "http://jpfhir.jp/fhir/"
_SECTIONS = f"{CLINS}CodeSystem/document-section"
_SUBTYPES = {"OUTPATIENT": "外来文書", "INPATIENT": "入院文書", "DISCHARGE": "退院時文書"}


class Draft:
    """A document being written: entries in order, the Composition first."""

    def __init__(self, envelope: Envelope, person: Person, visit: Visit) -> None:
        self.envelope, self.person, self.visit = envelope, person, visit
        self._composition = full_url(envelope.rng)
        self.entries: list[tuple[str, Json]] = []
        self.subject = self.add(patient(person, visit.place, envelope.at))

    def add(self, resource: Json) -> str:
        url = full_url(self.envelope.rng)
        self.entries.append((url, resource))
        return url

    def composition(
        self, profile: str, code: str, title: str, subtype: str, start: str, end: str = ""
    ) -> Json:
        made = head("Composition", f"{_FHIR}{profile}", self.visit.place, self.envelope.at)
        made["extension"].append(
            {
                "url": "http://hl7.org/fhir/StructureDefinition/composition-clinicaldocument-versionNumber",
                "valueString": "1.0",
            }
        )
        number = resource_number(self.person, self.visit.place, f"{code}-{self.envelope.at:%Y%m%d}")
        made["identifier"] = identified(number)[0]
        made["status"] = "final"
        made["type"] = coded(f"{_FHIR}Common/CodeSystem/doc-typecodes", code, title)
        if subtype:
            made["category"] = [
                coded(f"{_FHIR}Common/CodeSystem/doc-subtypecodes", subtype, _SUBTYPES[subtype])
            ]
        made["subject"] = {"reference": self.subject, "type": "Patient"}
        made["date"] = stamp(self.envelope.at)
        made["title"] = title
        made["event"] = [
            {"code": [{"text": f"{title}発行"}], "period": {"start": start} | ({"end": end} if end else {})}
        ]
        return made

    def finish(self, composition: Json, profile: str) -> Json:
        entries = [(self._composition, composition), *self.entries]
        version = self.visit.place.profile_version
        return self.envelope.bundle("document", f"{CLINS}StructureDefinition/{profile}", version, entries)

    def conditions(self, diagnoses: Sequence[Diagnosis]) -> list[str]:
        return [
            self.add(condition(self.person, self.visit, self.subject, diagnosis)) for diagnosis in diagnoses
        ]

    def allergies(self, sensitivities: Sequence[Sensitivity]) -> list[str]:
        return [self.add(allergy(self.person, self.visit, self.subject, one)) for one in sensitivities]

    def results(self, results: Sequence[Result], taken: Visit | None = None) -> list[str]:
        visit = taken or self.visit
        return [self.add(observation(self.person, visit, self.subject, one, visit.at)) for one in results]

    def orders(self, orders: Sequence[Order]) -> list[str]:
        return [
            self.add(medication_request(self.person, self.visit, self.subject, order, number))
            for number, order in enumerate(orders, start=1)
        ]


def section(code: str, title: str, words: str, entries: Sequence[str] = ()) -> Json:
    made: Json = {"title": title, "code": coded(_SECTIONS, code, f"{title}セクション")}
    made["text"] = narrative(words)
    if entries:
        made["entry"] = [{"reference": url} for url in entries]
    return made


def structured(inner: Sequence[Json]) -> Json:
    return {
        "title": "構造情報",
        "code": coded(_SECTIONS, "300", "構造情報セクション"),
        "section": list(inner),
    }
