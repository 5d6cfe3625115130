"""The codes of a FHIR Consent and what each is here. Ours stand first: these are written, all are read."""

from tsuzuri.domain.fhir.elements import Element, system_of
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass

CONSENT_SYSTEM = "urn:tsuzuri:consent"
"""Consent.identifier of what is given out: the id of the event that said it."""
POLICY = "urn:tsuzuri:consent-policy"
"""What is not consented to is closed; each rule adds itself and says nothing of the rest; a denial wins."""
CLASS_SYSTEM = "urn:tsuzuri:record-class"
PERSON_SYSTEM = "urn:tsuzuri:person"
DOCUMENT_SYSTEM = "urn:tsuzuri:document"
GIVEN_URL = "urn:tsuzuri:consent-given"

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
SCOPE = (f"{_TERMINOLOGY}consentscope", "patient-privacy")
CATEGORIES = (
    ("http://loinc.org", "59284-0"),  # Consent Document
    ("http://loinc.org", "64292-6"),  # Release of information consent
    (f"{_TERMINOLOGY}v3-ActCode", "INFA"),  # information access
)
ACCESS = (f"{_TERMINOLOGY}consentaction", "access")
PURPOSE_SYSTEM = f"{_TERMINOLOGY}v3-ActReason"
RULE_SYSTEM = f"{_TERMINOLOGY}v3-ActCode"
ASSENT = frozenset({"OPTIN", "OPTINR"})
DISSENT = "OPTOUT"
RECIPIENTS = (
    (f"{_TERMINOLOGY}v3-ParticipationType", "PRCP"),  # primary information recipient
    (f"{_TERMINOLOGY}v3-ParticipationType", "IRCP"),  # information recipient
)
RELATIONS: dict[ProxyRelation, tuple[str, str]] = {
    ProxyRelation.PARENT: (f"{_TERMINOLOGY}v3-RoleCode", "PRN"),
    ProxyRelation.GUARDIAN: (f"{_TERMINOLOGY}v3-RoleClass", "GUARD"),
    ProxyRelation.DELEGATE: (f"{_TERMINOLOGY}v3-RoleCode", "DELEGATEE"),
}
CONSENTED_PURPOSES = (PurposeOfUse.TREAT, PurposeOfUse.HPAYMT, PurposeOfUse.HOPERAT)
"""What a denial is of: whatever a consent may open. An emergency needs none, and is not denied by one."""

_RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_LOINC = "http://loinc.org"
_DOCUMENT_TYPES = "http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes"
OBSERVATION = (_RESOURCE_TYPES, "Observation")
"""Check-up reports and letters hold Observations too, of their own classes: to deny them takes those classes."""

CLASSES: dict[tuple[str, str], tuple[RecordClass, ...]] = {
    **{(CLASS_SYSTEM, record_class.value): (record_class,) for record_class in RecordClass},
    (_RESOURCE_TYPES, "Condition"): (RecordClass.CONDITION,),
    (_RESOURCE_TYPES, "AllergyIntolerance"): (RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY),
    OBSERVATION: (RecordClass.INFECTION, RecordClass.LAB_RESULT),
    (_RESOURCE_TYPES, "MedicationRequest"): (RecordClass.PRESCRIPTION,),
    **{
        (system, code): (record_class,)
        for system in (_LOINC, _DOCUMENT_TYPES)
        for code, record_class in (
            ("57133-1", RecordClass.REFERRAL),
            ("18842-5", RecordClass.DISCHARGE_SUMMARY),
            ("53576-5", RecordClass.CHECKUP_REPORT),
            ("56447-6", RecordClass.PATIENT_SUMMARY),
        )
    },
    (_DOCUMENT_TYPES, "JPGCHKUP01"): (RecordClass.CHECKUP_REPORT,),
}
"""情報の種類, by system and code. Of the LOINC codes: the four documents' own (JP-CLINS, Composition.type)."""


def pair(coding: Element) -> tuple[str, str]:
    """System and code of a Coding."""
    return system_of(coding) or "", coding.text("code") or ""


def pairs(concept: Element | None) -> list[tuple[str, str]]:
    """Those of a CodeableConcept: all mean the same thing. None when it is only text."""
    return [pair(coding) for coding in concept.elements("coding")] if concept else []
