"""Whom a Bundle is about: the one Patient, the numbers that name her, her name as written."""

from tsuzuri.domain.fhir import patient_numbers
from tsuzuri.domain.fhir.elements import Element, system_of
from tsuzuri.domain.fhir.people import kanji_and_kana
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.identifiers import identifier
from tsuzuri.domain.record import Demographics, Subject

_SEXES = ("male", "female", "other", "unknown")


def the_patient(resources: list[Element]) -> Element:
    """Raises BundleRejected unless there is exactly one."""
    patients = [r for r in resources if r.text("resourceType") == "Patient"]
    if len(patients) != 1:
        raise BundleRejected("Bundle.entry", f"holds {len(patients)} Patients; a Bundle is about exactly one")
    return patients[0]


def subject(patient: Element, facility: str, warnings: list[str]) -> Subject:
    """`facility`: whose local numbers a bare system (without the ten digits) means."""
    insured_person = patient_numbers.insured_person(patient)
    public_assistance = patient_numbers.public_assistance(patient)
    try:
        local = patient_numbers.local(patient, facility, warnings)
    except BundleRejected:
        if insured_person is None and public_assistance is None:
            raise
        local = None  # the other number names her; a spoilt second number need not stop the Bundle
        warnings.append("patient-local-number-malformed")
    found = [one for one in (insured_person, public_assistance, local) if one is not None]
    if not found:
        reason = (
            "has no identifier that names the patient: an insured-person number, "
            "a public assistance number or a local number"
        )
        raise BundleRejected(f"{patient.place}.identifier", reason)
    return Subject(
        insured_person=insured_person and insured_person[0],
        public_assistance=public_assistance and public_assistance[0],
        local=local and local[0],
        periods={number: period for number, period in found if period is not None},
        demographics=_demographics(patient, warnings),
    )


def _demographics(patient: Element, warnings: list[str]) -> Demographics:
    kanji, kana = kanji_and_kana(patient)
    name = kanji or kana
    if name is None:
        warnings.append("patient-without-name")
    sex = patient.text("gender")
    if sex is not None and sex not in _SEXES:
        warnings.append("patient-sex-not-a-fhir-code")
        sex = None
    patient.moment("birthDate")  # refuses what is no date
    postal_codes = (address.text("postalCode") for address in patient.elements("address"))
    return Demographics(
        name=name or "",
        kana=kana,
        birth_date=patient.text("birthDate"),
        sex=sex,
        postal_code=next((code for code in postal_codes if code), None),
    )


def check_subject(
    resource: Element, patient: Element, whose: Subject, references: References, warnings: list[str]
) -> None:
    """A resource about someone else must never enter this patient's record.

    Raises:
        BundleRejected: its subject is another resource, or another number than the Patient's.
    """
    reference = resource.element("subject") or resource.element("patient")
    if reference is None:
        return
    found = references.find(reference, resource)
    if found is not None and found is not patient:
        raise BundleRejected(reference.place, "refers to another resource than the Bundle's Patient")
    logical = reference.element("identifier")
    if logical is not None:
        for number in whose.national:
            same_system = system_of(logical) == identifier(number)[0]
            if same_system and not patient_numbers.same_number(logical, number):
                raise BundleRejected(reference.place, "names another number than the Patient's")
    if found is None and logical is None:
        warnings.append(f"subject-not-resolved: {resource.text('resourceType')}")
