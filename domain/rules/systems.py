"""The systems of codes and identifiers, and the spellings one system has.

The guides moved from OIDs to URLs in CLINS 1.5.0. Both stay accepted: a rule is written with the URL.
"""

CLINS = "http://jpfhir.jp/fhir/clins/CodeSystem"
CORE = "http://jpfhir.jp/fhir/core/CodeSystem"
CORE_IDS = "http://jpfhir.jp/fhir/core/IdSystem"
MHLW = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem"
MHLW_IDS = "http://jpfhir.jp/fhir/core/mhlw/IdSystem"
COMMON = "http://jpfhir.jp/fhir/Common/CodeSystem"
HL7 = "http://terminology.hl7.org/CodeSystem"

BUNDLE_IDENTIFIER = "http://jpfhir.jp/fhir/clins/bundle-identifier"
DOCUMENT_INSTANCE = f"{CORE_IDS}/documentInstance-identifier"
RESOURCE_IDENTIFIER = f"{CORE_IDS}/resourceInstance-identifier"
INSTITUTION = f"{CORE_IDS}/insurance-medical-institution-no"
LOCAL_PATIENT = "urn:oid:1.2.392.100495.20.3.51."  # then 1 and the ten digits of the institution
RP_NUMBER = f"{MHLW_IDS}/Medication-RPGroupNumber"
ORDER_IN_RP = f"{MHLW_IDS}/MedicationAdministrationIndex"

CARRIED_TYPE = f"{CLINS}/BundleResourceType_CS"
INDICATION = f"{CLINS}/JP_ehrshrs_indication"
DOCUMENT_TYPE = f"{COMMON}/doc-typecodes"
DOCUMENT_SUBTYPE = f"{COMMON}/doc-subtypecodes"

DISEASE = "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
JLAC10 = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
LOCAL_LABORATORY = f"{CLINS}/JP_CLINS_ObsLabResult_LocalCode_CS"
UNCODED_LABORATORY = f"{CLINS}/JP_CLINS_ObsLabResult_Uncoded_CS"
CORE_LABORATORY = "JP_CLINS_ObsLabResult_CoreLabo_CS"
INFECTION_LABORATORY = "JP_CLINS_ObsLabResult_InfectionLabo_CS"
"""Last names only: below JLAC10/ or JLAC11/ or, before they were split, neither."""
SIMPLE_CATEGORY = f"{CORE}/JP_SimpleObservationCategory_CS"

YJ = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
YJ_STRENGTHS = "http://capstandard.jp/CodeSystem/KikakubetsuYakuzaiSeibun"  # until CLINS 1.10
GENERAL_NAME = f"{MHLW}/MedicationGeneralOrderCode"
NOT_CODED = "http://jpfhir.jp/fhir/eCS/CodeSystem/MedicationCodeNocoded_CS"
USAGE = f"{MHLW}/MedicationUsage_ePrescription"
USAGE_NOT_CODED = f"{CLINS}/JP_CLINS_MedicationUsage_Uncoded_CS"
JFAGY = (
    "JP_JfagyFoodAllergen_CS",
    "JP_JfagyNonFoodNonMedicationAllergen_CS",
    "JP_JfagyMedicationAllergen_CS",
)
"""Last names only: the drug allergens were split into several folders under one name."""

_OIDS = {
    "1.2.392.200250.2.2.2": "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment",
    "1.2.392.200250.2.2.20": "http://jami.jp/CodeSystem/MedicationUsage",
    "1.2.392.200250.2.2.20.22": "http://jami.jp/CodeSystem/MedicationUsageAdditional",
    "1.2.392.200250.2.2.20.30": "http://jami.jp/CodeSystem/MedicationMethodBasicUsage",
    "1.2.392.200250.2.2.20.40": "http://jami.jp/CodeSystem/MedicationMethodDetailUsage",
    "1.2.392.200119.4.101.2": DISEASE,
    "1.2.392.200119.4.101.6": "http://medis.or.jp/CodeSystem/master-disease-exCode",
    "1.2.392.200119.4.201.2": "http://medis.or.jp/CodeSystem/master-disease-modKeyNumber",
    "1.2.392.200119.4.201.5": "http://medis.or.jp/CodeSystem/master-disease-modExCode",
    "1.2.392.200119.4.402.1": "http://medis.or.jp/CodeSystem/master-HOT13",
    "1.2.392.200119.4.403.1": "http://medis.or.jp/CodeSystem/master-HOT9",
    "1.2.392.200119.4.403.2": "http://medis.or.jp/CodeSystem/master-HOT7",
    "1.2.392.200119.4.504": JLAC10,
    "1.2.392.100495.20.1.73": YJ,  # as the rules of CLINS 1.4 spelled it
    "1.2.392.100495.20.2.73": YJ,  # as the list of changes spells it
    "1.2.392.100495.20.1.81": GENERAL_NAME,
    "1.2.392.100495.20.2.81": GENERAL_NAME,
    "1.2.392.100495.20.2.22": f"{MHLW}/MedicationIngredientStrengthType",
    "1.2.392.100495.20.2.41": f"{MHLW}/MedicationSubstitutionProhibittedCategory",
    "1.2.392.100495.20.2.101": f"{MHLW}/MedicationUnitMERIT9Code",
    "1.2.392.100495.20.3.23": f"{MHLW_IDS}/MedicalOrganizationID",
    "1.2.392.100495.20.3.31": f"{MHLW_IDS}/medicalRegistrationNumber",
    "1.2.392.100495.20.3.61": f"{MHLW_IDS}/InsurerNumber",
    "1.2.392.100495.20.3.81": RP_NUMBER,
    "1.2.392.100495.20.3.82": ORDER_IN_RP,
}
ALIASES = {f"urn:oid:{oid}": url for oid, url in _OIDS.items()}
"""Another spelling → ours."""


def canonical(system: str | None) -> str | None:
    """One spelling of a system, without the `|version` some senders append."""
    if system is None:
        return None
    bare = system.partition("|")[0]
    return ALIASES.get(bare, bare)


def last_name(system: str | None) -> str | None:
    """The end of a Japanese guide's URL, which stayed while its root moved."""
    if system is None or not system.startswith("http://jpfhir.jp/"):
        return None
    return system.partition("|")[0].rpartition("/")[2]
