"""Whom a Bundle is about: the one Patient, the numbers that name her, her name as written."""

from tsuzuri.domain.fhir.elements import Element, system_of
from tsuzuri.domain.fhir.people import kanji_and_kana
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.identifiers import (
    INSURED_PERSON_SYSTEM,
    LOCAL_SYSTEMS,
    PUBLIC_PAYER_SYSTEM,
    InsuredPersonNumber,
    LocalNumber,
    MalformedNumber,
)
from tsuzuri.domain.record import Demographics, Subject

_SEXES = ("male", "female", "other", "unknown")
_FACILITY_DIGITS = 10


def the_patient(resources: list[Element]) -> Element:
    """Raises BundleRejected unless there is exactly one."""
    patients = [r for r in resources if r.text("resourceType") == "Patient"]
    if len(patients) != 1:
        raise BundleRejected("Bundle.entry", f"holds {len(patients)} Patients; a Bundle is about exactly one")
    return patients[0]


def subject(patient: Element, facility: str, warnings: list[str]) -> Subject:
    """`facility`: whose local numbers a bare system (without the ten digits) means."""
    insured_person = _insured_person(patient)
    try:
        local = _local(patient, facility, warnings)
    except BundleRejected:
        if insured_person is None:
            raise
        local = None  # the insured-person number names her; a spoilt second number need not stop the Bundle
        warnings.append("patient-local-number-malformed")
    if insured_person is None and local is None:
        reason = "has no identifier that names the patient: an insured-person number or a local number"
        raise BundleRejected(f"{patient.place}.identifier", reason)
    return Subject(insured_person=insured_person, local=local, demographics=_demographics(patient, warnings))


def _insured_person(patient: Element) -> InsuredPersonNumber | None:
    found: InsuredPersonNumber | None = None
    for identifier in patient.elements("identifier"):
        if system_of(identifier) != INSURED_PERSON_SYSTEM:
            continue
        number = _insured_person_number(identifier)
        if found and number != found:
            raise BundleRejected(
                f"{patient.place}.identifier", "holds two insured-person numbers; send the valid one"
            )
        found = number
    return found


def _insured_person_number(identifier: Element) -> InsuredPersonNumber:
    try:
        return InsuredPersonNumber.parse(identifier.text("value") or "")
    except MalformedNumber as error:
        raise BundleRejected(f"{identifier.place}.value", str(error)) from None


def _local(patient: Element, facility: str, warnings: list[str]) -> LocalNumber | None:
    """The sender's own number for her.

    A number of another facility's means something only as this sender uses it: it gets a place of its own among
    the sender's numbers, so that nobody reaches another facility's patient through that facility's number.
    """
    found: list[LocalNumber] = []
    for identifier in patient.elements("identifier"):
        system = system_of(identifier) or ""
        if system == PUBLIC_PAYER_SYSTEM:
            warnings.append("public-assistance-number-not-kept")
        issuer = _issuer(system, facility)
        if issuer is None:
            continue
        try:
            found.append(LocalNumber.parse(issuer, identifier.text("value") or ""))
        except MalformedNumber as error:
            raise BundleRejected(f"{identifier.place}", str(error)) from None
    own = [number for number in found if number.facility == facility]
    if found and not own:
        warnings.append("patient-number-of-another-facility")
        foreign = found[0]
        return LocalNumber.parse(facility, f"{foreign.facility}^{foreign.number}")
    return next(iter(own), None)


def _issuer(system: str, facility: str) -> str | None:
    """The facility whose local numbers a system holds, or None when it is no such system."""
    for prefix in LOCAL_SYSTEMS:
        if system == prefix:
            return facility
        digits = system.removeprefix(prefix)
        if digits != system and len(digits) == _FACILITY_DIGITS and digits.isascii() and digits.isdigit():
            return digits
    return None


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
        BundleRejected: its subject is another resource, or another insured-person number.
    """
    reference = resource.element("subject") or resource.element("patient")
    if reference is None:
        return
    found = references.find(reference, resource)
    if found is not None and found.place != patient.place:
        raise BundleRejected(reference.place, "refers to another resource than the Bundle's Patient")
    logical = reference.element("identifier")
    if logical and whose.insured_person and system_of(logical) == INSURED_PERSON_SYSTEM:
        if _insured_person_number(logical) != whose.insured_person:
            raise BundleRejected(reference.place, "names another insured-person number than the Patient's")
    if found is None and logical is None:
        warnings.append(f"subject-not-resolved: {resource.text('resourceType')}")
