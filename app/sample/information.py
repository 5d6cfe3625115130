"""The CLINS collections: one Bundle with one Patient and one type of resource (5情報)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from tsuzuri.app.sample.findings import Diagnosis, Result, Sensitivity, allergy, condition, observation
from tsuzuri.app.sample.people import Person
from tsuzuri.app.sample.resources import CLINS, Json, Visit, coding, full_url, patient, stamp


@dataclass(frozen=True)
class Envelope:
    """What a Bundle says of itself."""

    number: str  # Bundle.identifier.value
    at: datetime  # Bundle.timestamp
    rng: Random

    def bundle(
        self, kind: str, profile: str, version: str, entries: Sequence[tuple[str, Json]], tag: str = ""
    ) -> Json:
        """*entries* are (fullUrl, resource) pairs in order; *version* is appended to the profile."""
        meta: Json = {"lastUpdated": stamp(self.at), "profile": [profile + version]}
        if tag:
            meta["tag"] = [coding(f"{CLINS}CodeSystem/BundleResourceType_CS", tag)]
        return {
            "resourceType": "Bundle",
            "meta": meta,
            "language": "ja",
            "identifier": {"system": f"{CLINS}bundle-identifier", "value": self.number},
            "type": kind,
            "timestamp": stamp(self.at),
            "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
        }


def conditions(envelope: Envelope, person: Person, visit: Visit, diagnoses: Sequence[Diagnosis]) -> Json:
    """傷病名: everything on the facility's problem list, since each send replaces the one before."""
    subject = full_url(envelope.rng)
    found = [condition(person, visit, subject, diagnosis) for diagnosis in diagnoses]
    return _collection(envelope, person, visit, subject, found)


def allergies(envelope: Envelope, person: Person, visit: Visit, sensitivities: Sequence[Sensitivity]) -> Json:
    """薬剤アレルギー等 and その他アレルギー等 together, as a replacing set."""
    subject = full_url(envelope.rng)
    found = [allergy(person, visit, subject, sensitivity) for sensitivity in sensitivities]
    return _collection(envelope, person, visit, subject, found)


def report(
    envelope: Envelope, person: Person, visit: Visit, issued: datetime, results: Sequence[Result]
) -> Json:
    """検査 and 感染症: one laboratory report."""
    subject = full_url(envelope.rng)
    found = [observation(person, visit, subject, result, issued) for result in results]
    return _collection(envelope, person, visit, subject, found)


def _collection(
    envelope: Envelope, person: Person, visit: Visit, subject: str, found: Sequence[Json]
) -> Json:
    entries = [(subject, patient(person, visit.place, envelope.at))]
    entries += [(full_url(envelope.rng), resource) for resource in found]
    profile = f"{CLINS}StructureDefinition/JP_Bundle_CLINS"
    return envelope.bundle(
        "collection", profile, visit.place.profile_version, entries, tag=str(found[0]["resourceType"])
    )
