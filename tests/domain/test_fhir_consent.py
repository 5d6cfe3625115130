"""A FHIR Consent means exactly what it says, or is refused with all that is missing: never more is opened."""

from datetime import UTC, datetime

import pytest

from consent_examples import (
    TERMINOLOGY,
    Json,
    a_class,
    a_consent,
    a_facility,
    a_person,
    a_purpose,
    a_rule,
    concept,
    deny,
    permit,
)
from consent_meanings import (
    REFERRAL,
    UNTIL,
    granted,
    identified,
    instance,
    means,
    missing,
    read,
)
from examples import CLINIC, EVENT, HOSPITAL, NUMBER, PATIENT
from tsuzuri.domain.consent_intentions import (
    IntendedDenial,
    IntendedGrant,
    IntendedProxy,
    IntendedWithdrawal,
)
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass


def test_a_permit_is_a_grant_for_one_facility_and_purpose() -> None:
    assert means(a_consent()) == (granted(),)


def test_facilities_and_purposes_multiply() -> None:
    both = permit(
        actor=[a_facility(), a_facility(CLINIC, "IRCP")], purpose=[a_purpose("TREAT"), a_purpose("HPAYMT")]
    )

    assert means(a_consent(both)) == tuple(
        granted(facility=facility, purpose=purpose)
        for facility in (HOSPITAL, CLINIC)
        for purpose in (PurposeOfUse.TREAT, PurposeOfUse.HPAYMT)
    )


@pytest.mark.parametrize("record_class", RecordClass)
def test_each_class_has_a_code_of_its_own(record_class: RecordClass) -> None:
    (grant,) = means(a_consent(permit(**{"class": [a_class(record_class)]})))

    assert isinstance(grant, IntendedGrant) and grant.classes == (record_class,)


@pytest.mark.parametrize(
    ("system", "code", "classes"),
    [
        ("http://hl7.org/fhir/resource-types", "Condition", ["CONDITION"]),
        ("http://hl7.org/fhir/resource-types", "AllergyIntolerance", ["DRUG_ALLERGY", "OTHER_ALLERGY"]),
        ("http://hl7.org/fhir/resource-types", "Observation", ["INFECTION", "LAB_RESULT"]),
        ("http://hl7.org/fhir/resource-types", "MedicationRequest", ["PRESCRIPTION"]),
        ("http://loinc.org", "57133-1", ["REFERRAL"]),
        ("http://loinc.org", "18842-5", ["DISCHARGE_SUMMARY"]),
        ("http://loinc.org", "53576-5", ["CHECKUP_REPORT"]),
        ("http://loinc.org", "56447-6", ["PATIENT_SUMMARY"]),
        ("http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes", "JPGCHKUP01", ["CHECKUP_REPORT"]),
    ],
)
def test_the_codes_of_others_mean_all_that_they_include(system: str, code: str, classes: list[str]) -> None:
    by_class = means(a_consent(permit(**{"class": [a_class(code, system)]})))
    by_code = means(a_consent(permit(**{"class": None, "code": [concept(system, code)]})))

    assert by_class == by_code == (granted(classes=tuple(map(RecordClass, classes))),)


@pytest.mark.parametrize(
    ("end", "until"),
    [
        ("2027-03-31", datetime(2027, 3, 31, 15, tzinfo=UTC)),
        ("2027-03", datetime(2027, 3, 31, 15, tzinfo=UTC)),
        ("2027", datetime(2027, 12, 31, 15, tzinfo=UTC)),
        ("2027-03-31T09:00:00+09:00", datetime(2027, 3, 31, tzinfo=UTC)),
    ],
)
def test_a_day_that_a_period_ends_with_belongs_to_it_in_japan(end: str, until: datetime) -> None:
    period = {"start": "2026-11-22", "end": end}

    since = datetime(2026, 11, 21, 15, tzinfo=UTC)
    assert means(a_consent(permit(period=period))) == (granted(until=until, since=since),)


def test_a_facility_may_be_the_organization_that_the_consent_contains() -> None:
    actor = a_facility()
    organization = {
        "resourceType": "Organization",
        "id": "o",
        "identifier": [actor["reference"]["identifier"]],
    }
    contained = permit(actor=[actor | {"reference": {"reference": "#o"}}])

    assert means(a_consent(contained, contained=[organization])) == (granted(),)
    department = organization | {"partOf": {"reference": "Organization/1"}}
    assert "Consent.contained[0].partOf" in missing(a_consent(contained, contained=[department]))


def test_a_permit_may_be_for_one_referral() -> None:
    one = permit(**{"class": [a_class("REFERRAL")], "data": [instance()]})

    assert means(a_consent(one)) == (granted(classes=(RecordClass.REFERRAL,), document=REFERRAL),)
    assert set(missing(a_consent(permit(data=[instance()])))) == {"Consent.provision.class"}


def test_a_denial_is_to_all_or_to_one_of_all_or_of_a_class() -> None:
    classes = [a_class("INFECTION"), a_class("CONDITION")]

    assert means(a_consent(deny())) == (IntendedDenial(None, ()),)
    assert means(a_consent(deny(actor=[a_facility()]))) == (IntendedDenial(HOSPITAL, ()),)
    assert means(a_consent(deny(**{"class": classes}))) == (
        IntendedDenial(None, (RecordClass.CONDITION, RecordClass.INFECTION)),
    )


@pytest.mark.parametrize("framework", [{"policyRule": a_rule("OPTOUT")}, {"policy": [{"uri": "urn:other"}]}])
def test_a_denial_of_all_to_all_needs_no_policy_that_is_known(framework: Json) -> None:
    assert means(a_consent(deny(), **{"policy": None, **framework})) == (IntendedDenial(None, ()),)


@pytest.mark.parametrize("code", ["OPTIN", "OPTINR"])
def test_a_permit_stands_under_an_assent_and_then_need_not_say_that_it_permits(code: str) -> None:
    for provision in (permit(), permit(type=None)):
        assert means(a_consent(provision, policy=None, policyRule=a_rule(code))) == (granted(),)


@pytest.mark.parametrize(
    ("role", "relation"),
    [
        (concept(f"{TERMINOLOGY}v3-RoleCode", "PRN"), ProxyRelation.PARENT),
        (concept(f"{TERMINOLOGY}v3-RoleClass", "GUARD"), ProxyRelation.GUARDIAN),
        (concept(f"{TERMINOLOGY}v3-RoleCode", "DELEGATEE"), ProxyRelation.DELEGATE),
    ],
)
def test_who_stands_for_her_is_told_by_role_and_sees_all(role: Json, relation: ProxyRelation) -> None:
    person = permit(actor=[a_person("mother", role)], purpose=[a_purpose("FAMRQT")])

    assert means(a_consent(person | {"class": None})) == (IntendedProxy("mother", relation, UNTIL),)
    assert set(missing(a_consent(person))) == {"Consent.provision.class"}
    assert set(missing(a_consent(person | {"class": None, "purpose": None}))) == {"Consent.provision.purpose"}


def test_rules_side_by_side_share_what_the_provision_around_them_says() -> None:
    grants = permit(type=None, purpose=None)
    rules = {
        "purpose": [a_purpose("TREAT")],
        "provision": [
            permit(purpose=None),
            permit(purpose=None, actor=[a_facility(CLINIC)], **{"class": [a_class("LAB_RESULT")]}),
            deny(purpose=None, **{"class": [a_class("INFECTION")]}),
        ],
    }

    assert means(a_consent(rules)) == (
        granted(),
        granted(facility=CLINIC, classes=(RecordClass.LAB_RESULT,)),
        IntendedDenial(None, (RecordClass.INFECTION,)),
    )
    assert "Consent.provision.provision[0].type" in missing(a_consent(rules | {"provision": [grants]}))


def test_what_has_ended_is_named_by_the_identifier_it_was_given_out_under() -> None:
    ended = a_consent(status="inactive", identifier=identified(str(EVENT)))

    assert means(ended) == (IntendedWithdrawal(EVENT),)
    for others in (None, identified("x"), identified(str(EVENT)) + identified(str(PATIENT))):
        assert set(missing(ended | {"identifier": others})) == {"Consent.identifier"}


def test_the_patient_is_known_by_number_or_by_our_id_or_not_at_all() -> None:
    assert read(a_consent()).patient == InsuredPersonNumber(NUMBER)
    assert read(a_consent(patient={"reference": f"Patient/{PATIENT}"})).patient == PATIENT
    assert read(a_consent(patient={"reference": f"urn:uuid:{PATIENT}"})).patient == PATIENT
    assert read(a_consent(patient={"reference": "Patient/f001"})).patient is None


def test_what_is_not_kept_is_told() -> None:
    told = a_consent(
        id="x",
        dateTime="2026-11-20",
        identifier=identified(str(EVENT)),
        organization=[{"display": "x"}],
        sourceReference={"display": "x"},
        extension=[
            {"url": "urn:other", "valueCode": "x"},
            {"url": "urn:tsuzuri:consent-given", "valueCode": "oral"},
        ],
    )

    assert read(told).intentions == (granted(given="oral"),)
    assert read(told).not_kept == (
        "Consent.id",
        "Consent.dateTime",
        "Consent.organization",
        "Consent.sourceReference",
        "Consent.identifier",
        "Consent.extension[0]",
    )
