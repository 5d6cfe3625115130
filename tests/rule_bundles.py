"""Synthetic Bundles that keep every rule of their guide: a collection of each kind, and a document of each."""

from rule_resources import (
    INSTITUTION,
    PATIENT,
    RESOURCE_IDENTIFIER,
    Json,
    care_plan_of_summary,
    coding,
    concept,
    condition,
    encounter,
    meta,
    of,
    organization,
    patient,
    practitioner,
)

CLINS = "http://jpfhir.jp/fhir/clins/StructureDefinition"
CARRIED_TYPE = "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS"
_COMMON = "http://jpfhir.jp/fhir/Common/CodeSystem"
_VERSION = "http://hl7.org/fhir/StructureDefinition/composition-clinicaldocument-versionNumber"
_SECTIONS = "http://jpfhir.jp/fhir/clins/CodeSystem/document-section"


def entries(*resources: Json) -> list[Json]:
    """Their fullUrls; the Patient's is what `PATIENT` refers to."""
    return [
        {
            "fullUrl": PATIENT["reference"] if r["resourceType"] == "Patient" else f"urn:uuid:{n}",
            "resource": r,
        }
        for n, r in enumerate(resources)
    ]


def collection(*resources: Json, kind: str | None = None) -> Json:
    """A JP_Bundle_CLINS of a Patient and resources of one kind."""
    carried = resources or (condition(),)
    tag = {"system": CARRIED_TYPE, "code": kind or carried[0]["resourceType"]}
    return {
        "resourceType": "Bundle",
        "meta": meta("JP_Bundle_CLINS", CLINS) | {"tag": [tag]},
        "identifier": {
            "system": "http://jpfhir.jp/fhir/clins/bundle-identifier",
            "value": f"{INSTITUTION}^2026^a-1",
        },
        "type": "collection",
        "timestamp": "2026-01-02T03:04:05+09:00",
        "entry": entries(patient(), *carried),
    }


def section(code: str) -> Json:
    return {"code": {"coding": [coding(_SECTIONS, code)]}, "entry": [{"reference": "urn:uuid:2"}]}


def composition(profile: str, root: str, code: str, **changes: object) -> Json:
    head: Json = {
        "resourceType": "Composition",
        "meta": meta(profile, f"http://jpfhir.jp/fhir/{root}/StructureDefinition"),
        "extension": [{"url": _VERSION, "valueString": "1"}],
        "identifier": {"system": RESOURCE_IDENTIFIER, "value": "c-1"},
        "status": "final",
        "type": {"coding": [coding(f"{_COMMON}/doc-typecodes", code)]},
        "category": [{"coding": [coding(f"{_COMMON}/doc-subtypecodes", "OUTPATIENT")]}],
        "subject": PATIENT,
        "encounter": {"reference": "urn:uuid:5"},
        "date": "2026-01-02T12:00:00+09:00",
        "author": [{"reference": "urn:uuid:2"}],
        "title": "見本の文書",
        "custodian": {"reference": "urn:uuid:3"},
        "event": [{"code": [{"text": "見本の発行"}], "period": {"start": "2026-01-02"}}],
        "section": [section("920"), section("910"), section("300")],
    }
    return of(head, **changes)


def document(profile: str, head: Json, *others: Json) -> Json:
    first = (head, patient(), practitioner(), organization())
    return of(
        collection(),
        meta=meta(profile, CLINS),
        type="document",
        entry=entries(*first, *others),
    )


def referral() -> Json:
    head = composition("JP_Composition_eReferral", "eReferral", "57133-1")
    return document("JP_Bundle_eReferral", head, organization("1410000002"))


def discharge_summary() -> Json:
    head = composition("JP_Composition_eDischargeSummary", "eDischargeSummary", "18842-5")
    return document("JP_Bundle_eDischargeSummary", head, encounter(), condition())


def patient_summary() -> Json:
    head = composition("JP_Composition_ePCS", "ePCS", "56447-6", section=[section("422")])
    return document("JP_Bundle_ePCS", head, encounter(), care_plan_of_summary(), condition())


def checkup() -> Json:
    head = composition(
        "JP_Composition_eCheckupGeneral", "eCheckup", "53576-5", category=[concept("urn:kinds", "10")]
    )
    return document("JP_Bundle_eCheckupGeneral", head, encounter())


def old_referral() -> Json:
    """As the referral guide had it before the CLINS guide took it in."""
    system = "http://jpfhir.jp/fhir/core/IdSystem/documentInstance-identifier"
    return of(referral(), identifier={"system": system, "value": "1"})
