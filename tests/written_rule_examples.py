"""For every rule with a predicate of its own, an example that keeps it and one that breaks it and nothing else."""

import copy
from dataclasses import dataclass
from typing import Any

from rule_bundles import checkup, collection, referral
from rule_resources import (
    CORE_LABO,
    INDICATION,
    INFECTION_LABO,
    INSTITUTION,
    INSURED_SYSTEM,
    JFAGY_FOOD,
    LOCAL_CODE,
    PATIENT,
    USAGE,
    USAGE_DUMMY,
    YJ,
    Json,
    allergy,
    coding,
    concept,
    condition,
    institution,
    observation,
    of,
    organization,
    patient,
    prescription,
)

ELEVEN = INSTITUTION + "1"
CORE = "http://jpfhir.jp/fhir/core/StructureDefinition"
LOCAL = "urn:oid:1.2.392.100495.20.3.51.1"
PUBLIC_PAYER = "http://jpfhir.jp/fhir/clins/Idsystem/JP_PublicPayer_memberID"


@dataclass(frozen=True)
class Example:
    """What keeps a rule, and what breaks it at one place. `also`: rules the second must break besides."""

    kept: Json
    broken: Json
    path: str
    policy: str = "clins-1.10"
    also: frozenset[str] = frozenset()
    size_bytes: int = 1000


def put(tree: Json, path: str, value: Any) -> Json:
    """A copy with another value at a path such as "entry.1.resource.code"; None takes it away."""
    changed = copy.deepcopy(tree)
    *above, last = (int(step) if step.isdigit() else step for step in path.split("."))
    node: Any = changed
    for step in above:
        node = node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return changed


def broken_at(tree: Json, path: str, value: Any, told: str, **more: Any) -> Example:
    """Broken by one change to what keeps it."""
    return Example(tree, put(tree, path, value), told, **more)


def tagged(code: str) -> list[Json]:
    return [{"system": INDICATION, "code": code}]


def drug_allergy(*codings: Json, criticality: str = "high") -> Json:
    return of(
        allergy(),
        category=["medication"],
        criticality=criticality,
        code={"coding": list(codings), "text": "見本"},
    )


def timed(*codings: Json) -> Json:
    return put(prescription(), "dosageInstruction.0.timing.code.coding", list(codings))


def coded(*codings: Json) -> Json:
    return put(observation(), "code.coding", list(codings))


A_DRUG = coding(YJ, "9999999F9999")
A_FOOD = coding(JFAGY_FOOD, "J9FZ00000000")
LOCALLY, NATIONALLY = coding(LOCAL_CODE, "L-1"), coding(CORE_LABO, "9Z999000000000001")
INFECTION = coding(INFECTION_LABO, "9Z999000000000002")
PLAIN = {"resourceType": "Observation", "status": "final", "code": {"text": "見本"}}
ILL = {"resourceType": "Condition", "subject": {"reference": "Patient/p"}}
PLAIN_BUNDLE = {
    "resourceType": "Bundle",
    "type": "batch-response",
    "entry": [{"fullUrl": "urn:uuid:1", "resource": PLAIN}, {"fullUrl": "urn:uuid:2", "resource": PLAIN}],
}
DISEASES, RESULTS = collection(condition()), collection(observation())
ENTRY = "Bundle.entry[1].resource"


def deep(levels: int) -> Any:
    """So many lists, one in the other."""
    tree: Any = []
    for _ in range(levels - 1):
        tree = [tree]
    return tree


WHOLE_BUNDLES = {
    "R0211": Example(DISEASES, of(DISEASES, entry=DISEASES["entry"][::-1]), "Bundle.entry[0].resource"),
    "R0212": broken_at(
        DISEASES,
        "entry.0.resource.meta.profile",
        [f"{CORE}/JP_Patient"],
        "Bundle.entry[0].resource.meta.profile",
    ),
    "R0213": broken_at(DISEASES, "meta.profile", ["urn:another"], "Bundle.meta.profile"),
    "R02141": broken_at(
        DISEASES, "meta.tag", [{"system": "urn:another", "code": "Condition"}], "Bundle.meta.tag"
    ),
    "R02142": broken_at(DISEASES, "meta.tag.0.code", "Procedure", "Bundle.meta.tag[0].code"),
    "R02143": broken_at(DISEASES, "meta.tag.0.code", "Observation", "Bundle.meta.tag[0].code"),
    "R02151": broken_at(DISEASES, "identifier.system", "urn:another", "Bundle.identifier.system"),
    "R2152": broken_at(referral(), "identifier.value", f"{ELEVEN}^2026^a-1", "Bundle.identifier.value"),
    "T0001": Example(DISEASES, DISEASES, "Bundle", size_bytes=10 * 1024 * 1024 + 1),
    "T0002": Example(DISEASES, collection(condition(), allergy()), "Bundle.entry[2].resource"),
    "T0003": broken_at(checkup(), "entry.4.fullUrl", "urn:uuid:3", "Bundle.entry[4].fullUrl"),
    "T0007": broken_at(
        {
            "resourceType": "Bundle",
            "type": "document",
            "entry": [{"resource": of(referral()["entry"][0]["resource"])}],
        },
        "entry.0.resource",
        PLAIN,
        "Bundle.entry[0].resource",
        policy="shape",
    ),
    "T0011": Example(DISEASES, collection(prescription()), "Bundle.meta.tag[0].code"),
    "T0012": Example(DISEASES, of(DISEASES, entry=DISEASES["entry"][:1]), "Bundle.entry"),
    "T0024": broken_at(PLAIN_BUNDLE, "entry.1.resource", None, "Bundle.entry[1].resource", policy="shape"),
}

ENTRIES = {
    "R3011": broken_at(
        collection(prescription()),
        "entry.1.resource.medicationCodeableConcept",
        concept("http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationGeneralOrderCode", "9999"),
        f"{ENTRY}.medicationCodeableConcept.coding",
        also=frozenset({"T0011"}),
    ),
    "R6021": broken_at(RESULTS, "entry.1.resource.code.coding", [NATIONALLY], f"{ENTRY}.code.coding"),
    "R6031": Example(
        collection(of(coded(LOCALLY, INFECTION), meta=observation()["meta"] | {"tag": tagged("LTS")})),
        put(RESULTS, "entry.1.resource.meta.tag", tagged("LTS")),
        f"{ENTRY}.meta.tag[0]",
    ),
    "R6081": broken_at(RESULTS, "entry.1.resource.hasMember", [{"display": "見本"}], f"{ENTRY}.hasMember[0]"),
    "R9011": broken_at(
        DISEASES, "entry.1.resource.extension", condition()["extension"][1:], f"{ENTRY}.extension"
    ),
    "R9012": broken_at(
        DISEASES,
        "entry.1.resource.extension.0",
        institution(ELEVEN),
        f"{ENTRY}.extension[0].valueIdentifier.value",
        also=frozenset({"R1021"}),
    ),
    "R9013C": broken_at(
        DISEASES,
        "entry.1.resource.contained.0.meta.profile",
        ["urn:another"],
        f"{ENTRY}.contained",
    ),
    "R9013O": broken_at(
        RESULTS, "entry.1.resource.contained.0.meta.profile", ["urn:another"], f"{ENTRY}.contained"
    ),
    "R9014C": broken_at(DISEASES, "entry.1.resource.extension.1", institution(), f"{ENTRY}.extension"),
    "R9014O": broken_at(RESULTS, "entry.1.resource.extension.1", institution(), f"{ENTRY}.extension"),
    "R9015C": broken_at(DISEASES, "entry.1.resource.onsetDateTime", None, f"{ENTRY}.onsetDateTime"),
    "R9016C": broken_at(DISEASES, "entry.1.resource.encounter", None, f"{ENTRY}.encounter"),
    "R9016O": broken_at(RESULTS, "entry.1.resource.encounter", None, f"{ENTRY}.encounter"),
    "R9017O": broken_at(RESULTS, "entry.1.resource.performer", None, f"{ENTRY}.performer"),
    "R9018C": broken_at(
        DISEASES, "entry.1.resource.clinicalStatus.coding.0.code", "resolved", f"{ENTRY}.abatementDateTime"
    ),
    "R9019O": broken_at(
        RESULTS, "entry.1.resource.contained.1.meta.profile", ["urn:another"], f"{ENTRY}.contained"
    ),
}

PATIENTS = {
    "R1010": broken_at(patient(), "identifier.0.system", f"{LOCAL}{ELEVEN}", "Patient.identifier[0].system"),
    "R1011": Example(
        of(patient(), extension=[institution()]),
        of(patient(), extension=[institution("1410000002")]),
        "Patient.identifier[0].system",
    ),
    "R1012": broken_at(patient(), "identifier", patient()["identifier"][:1], "Patient.identifier"),
    "R1013": broken_at(
        put(patient(), "identifier.1", {"system": PUBLIC_PAYER, "value": "12345678::1234567:"}),
        "identifier.1",
        {"system": INSURED_SYSTEM, "value": "00012345:あい:１２"},
        "Patient.identifier[1].value",
    ),
    "R1021": broken_at(
        allergy(),
        "extension.0",
        institution("1390000001"),
        "AllergyIntolerance.extension[0].valueIdentifier.value",
    ),
    "R1112": broken_at(
        patient(), "name", [{"text": "見本 花子", "family": "見本", "given": ["花子"]}], "Patient.name"
    ),
    "R1113": broken_at(patient(), "name.0.text", "見本\u3000花子", "Patient.name[0].text"),
    "T0025": broken_at(
        allergy(),
        "extension.0",
        institution("1340000001"),
        "AllergyIntolerance.extension[0].valueIdentifier.value",
    ),
    "T0004": Example(organization(), organization(ELEVEN), "Organization.identifier[0].value"),
}

RESOURCES = {
    "R2011": Example(
        drug_allergy(A_DRUG), drug_allergy(A_FOOD, criticality="low"), "AllergyIntolerance.criticality"
    ),
    "R2012": Example(
        drug_allergy(
            coding("http://jpfhir.jp/fhir/core/CodeSystem/GCM/JP_JfagyMedicationAllergen_CS", "GCM1")
        ),
        drug_allergy(A_FOOD),
        "AllergyIntolerance.code.coding",
    ),
    "R2013": broken_at(allergy(), "code.coding.0.system", YJ, "AllergyIntolerance.code.coding"),
    "R3010": broken_at(
        prescription(),
        "medicationCodeableConcept.coding.0.system",
        "urn:local-drugs",
        "MedicationRequest.medicationCodeableConcept.coding",
    ),
    "R5020": Example(
        timed(coding(USAGE_DUMMY, "0X0XXXXXXXXX0000")),
        timed(coding("http://jami.jp/CodeSystem/MedicationUsage", "1011000000000000")),
        "MedicationRequest.dosageInstruction[0].timing.code.coding",
    ),
    "R5021": Example(
        timed(coding(USAGE, "1011000000000000")),
        timed(coding(USAGE, "1011000000000000"), coding(USAGE_DUMMY, "0X0XXXXXXXXX0000")),
        "MedicationRequest.dosageInstruction[0].timing.code.coding",
    ),
    "T0013": Example(
        put(condition(), "meta.tag", tagged("UNDELIVERED")),
        put(allergy(), "meta.tag", tagged("UNINFORMED")),
        "AllergyIntolerance.meta.tag[0].code",
    ),
    "T0020": Example(coded(LOCALLY, NATIONALLY), coded(NATIONALLY), "Observation.code.coding"),
    "T0021": Example(
        coded(LOCALLY, coding("http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "9Z999000000000003")),
        coded(LOCALLY, coding("http://loinc.org", "0000-0")),
        "Observation.code.coding",
    ),
    "T0022": Example(
        coded(LOCALLY, coding(CORE_LABO.replace("10/", "11/"), "WBC")),
        coded(LOCALLY, coding(CORE_LABO, "WBC")),
        "Observation.code.coding[1].code",
    ),
    "T0023": Example(
        of(observation(), valueQuantity=None, valueString="見本"),
        of(observation(), valueQuantity=None, valueRange={"low": {"value": 1}}),
        "Observation.value[x]",
    ),
}

SHAPES = {
    "T0005": Example(PLAIN, of(PLAIN, resourceType="Beobachtung"), "Resource.resourceType", policy="shape"),
    "T0006": Example(of(PLAIN, note=deep(63)), of(PLAIN, note=deep(64)), "Observation", policy="shape"),
    "T0008": broken_at(
        of(
            ILL,
            contained=[
                {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}}
            ],
            encounter={"reference": "#e"},
        ),
        "encounter.reference",
        "#f",
        "Condition.encounter.reference",
        policy="shape",
    ),
    "T0009": Example(
        {"resourceType": "Patient", "deceasedBoolean": True},
        {"resourceType": "Patient", "deceasedBoolean": True, "deceasedDateTime": "2026-01-02"},
        "Patient.deceased[x]",
        policy="shape",
    ),
    "T0010": Example(
        of(PLAIN, effectivePeriod={"start": "2026-01-02", "end": "2026"}),
        of(PLAIN, effectivePeriod={"start": "2026-01-02T01:00:00+09:00", "end": "2026-01-01T15:00:00Z"}),
        "Observation.effectivePeriod.end",
        policy="shape",
    ),
    "T0014": Example(
        of(PLAIN, valueString="見本"),
        of(PLAIN, valueString="見本", dataAbsentReason={"text": "見本"}),
        "Observation.dataAbsentReason",
        policy="shape",
    ),
    "T0015": Example(
        of(ILL, abatementDateTime="2026-01-02", clinicalStatus={"coding": [{"code": "resolved"}]}),
        of(ILL, abatementDateTime="2026-01-02", clinicalStatus={"coding": [{"code": "active"}]}),
        "Condition.clinicalStatus",
        policy="shape",
    ),
    "T0016": Example(
        of(ILL, verificationStatus={"coding": [{"code": "entered-in-error"}]}),
        of(
            ILL,
            verificationStatus={"coding": [{"code": "entered-in-error"}]},
            clinicalStatus={"coding": [{"code": "active"}]},
        ),
        "Condition.clinicalStatus",
        policy="shape",
    ),
    "T0017": Example(
        of(PLAIN, extension=[{"url": "urn:a", "extension": [{"url": "b", "valueCode": "c"}]}]),
        of(PLAIN, extension=[{"url": "urn:a"}]),
        "Observation.extension[0]",
        policy="shape",
    ),
    "T0018": Example(
        PLAIN,
        of(PLAIN, modifierExtension=[{"url": "urn:a", "valueBoolean": True}]),
        "Observation.modifierExtension[0]",
        policy="shape",
    ),
    "T0019": Example(
        of(ILL, subject=PATIENT),
        of(ILL, subject={"reference": "Practitioner/p"}),
        "Condition.subject",
        policy="shape",
    ),
}

EXAMPLES: dict[str, Example] = {**WHOLE_BUNDLES, **ENTRIES, **PATIENTS, **RESOURCES, **SHAPES}
