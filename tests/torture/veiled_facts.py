"""What is sent of a patient in a torture of what nothing shows: facts, and the Bundles that carry them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from document_examples import RESOURCE_IDENTIFIER
from fhir_examples import (
    CORE_LABO,
    FACILITY,
    INSURED_SYSTEM,
    OTHER_FACILITY,
    Json,
    a_collection,
    a_patient,
    a_resource,
    coded,
    quantity,
)
from rendering_examples import INDICATION, WORDS, a_referral, a_section
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass

HBA1C = "3D046000001906202"
BEGAN = datetime.now(UTC)
"""What is recorded lies behind it; what the Bundles tell of lies before, by at least an hour."""
_CARRIED: Mapping[DocumentKind, str] = {
    DocumentKind.REFERRAL: "57133-1",
    DocumentKind.DISCHARGE_SUMMARY: "18842-5",
}


@dataclass(frozen=True)
class Fact:
    """One entry of a Bundle. By whichever Bundle it comes, the same name is the same fact."""

    record_class: RecordClass
    name: str
    at: datetime  # when it began or was measured; no two facts of a world share it, for ties are ordered by random ids
    flag: Flag | None = None


@dataclass(frozen=True)
class Sending:
    """One Bundle: a set or a report of its facts, or a document that holds them."""

    facility: str
    local_id: str
    at: datetime
    facts: tuple[Fact, ...]
    document: DocumentKind | None = None
    recipient: str = OTHER_FACILITY  # of a document

    def body(self, number: str) -> bytes:
        """About the insured person of this number."""
        resources = [_resource(fact) for fact in self.facts]
        bundle = self._document(resources) if self.document else a_collection(*resources)
        bundle["identifier"]["value"] = f"{FACILITY}^2026^{self.local_id}"
        bundle["timestamp"] = self.at.isoformat()
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] == "Patient":
                entry["resource"] = a_patient(identifier=[{"system": INSURED_SYSTEM, "value": number}])
        told = orjson.dumps(bundle).replace(OTHER_FACILITY.encode(), self.recipient.encode())
        return told.replace(FACILITY.encode(), self.facility.encode())

    def _document(self, resources: Sequence[Json]) -> Json:
        assert self.document is not None
        references = [f"{one['resourceType']}/{one['id']}" for one in resources]
        sections = [a_section("910", "Organization/to"), a_section("340", *references, words=WORDS)]
        code = _CARRIED[self.document]
        return a_referral(*resources, sections=sections, code=code, date=self.at.isoformat())


def moments_before(number: int) -> datetime:
    """The *number*-th moment back from now, within the last weeks: so nothing is too old to be seen."""
    return (BEGAN - timedelta(hours=1 + number)).replace(microsecond=0)


def _resource(fact: Fact) -> Json:
    meta: Json = {"lastUpdated": "2026-01-02T08:00:00+09:00"}
    if fact.flag:
        meta["tag"] = [{"system": INDICATION, "code": str(fact.flag)}]
    identity = fact.name.encode().hex()
    common = {
        "id": identity,
        "meta": meta,
        "identifier": [{"system": RESOURCE_IDENTIFIER, "value": identity}],
    }
    at, named = fact.at.isoformat(), {"text": fact.name}
    match fact.record_class:
        case RecordClass.CONDITION:
            return a_resource("Condition", code=named, onsetDateTime=at, **common)
        case RecordClass.DRUG_ALLERGY | RecordClass.OTHER_ALLERGY:
            kind = "medication" if fact.record_class is RecordClass.DRUG_ALLERGY else "food"
            return a_resource(
                "AllergyIntolerance", code=named, category=[kind], onsetDateTime=at, recordedDate=at, **common
            )
        case RecordClass.PRESCRIPTION:
            return a_resource("MedicationRequest", medicationCodeableConcept=named, authoredOn=at, **common)
        case _:
            value = quantity(5 + len(fact.name) / 10, "%")
            code = coded(CORE_LABO, HBA1C, fact.name)
            return a_resource("Observation", code=code, valueQuantity=value, effectiveDateTime=at, **common)
