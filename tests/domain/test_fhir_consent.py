"""A FHIR Consent means exactly what it says, or is refused with all that is missing: never more is opened."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from consent_examples import (
    END,
    HERSELF,
    POLICY,
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
    sent,
)
from examples import CLINIC, EVENT, HOSPITAL, NOON, NUMBER, PATIENT
from tsuzuri.domain.consent_intentions import (
    IntendedDenial,
    IntendedGrant,
    IntendedProxy,
    IntendedWithdrawal,
    Intention,
)
from tsuzuri.domain.fhir.consent import ReadConsent, read_consent
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass

UNTIL = datetime(2089, 12, 31, 15, tzinfo=UTC)
CANARY = "カナリア"
REFERRAL = UUID("dddddddd-0000-4000-8000-000000000001")


def read(consent: Json) -> ReadConsent:
    return read_consent(sent(consent), NOON)


def means(consent: Json) -> tuple[Intention, ...]:
    return read(consent).intentions


def missing(consent: Json) -> dict[str, str]:
    with pytest.raises(ConsentInexpressible) as refused:
        read(consent)
    return {gap.path: gap.reason for gap in refused.value.gaps}


def granted(**changes: Any) -> IntendedGrant:
    usual: dict[str, Any] = {
        "facility": HOSPITAL,
        "classes": (RecordClass.CONDITION,),
        "purpose": PurposeOfUse.TREAT,
        "until": UNTIL,
    }
    return IntendedGrant(**usual | changes)


def identified(value: str) -> list[Json]:
    return [{"system": "urn:tsuzuri:consent", "value": value}]


def instance(meaning: str = "instance", **reference: Any) -> Json:
    identifier = {"system": "urn:tsuzuri:document", "value": str(REFERRAL)}
    return {"meaning": meaning, "reference": {"identifier": identifier} | reference}


# What can be said


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


# What cannot

REFUSED: dict[str, tuple[Json, str]] = {
    "draft": (a_consent(status="draft"), "Consent.status"),
    "rejected": (a_consent(status="rejected"), "Consent.status"),
    "entered in error": (a_consent(status="entered-in-error"), "Consent.status"),
    "research": (a_consent(scope=concept(f"{TERMINOLOGY}consentscope", "research")), "Consent.scope"),
    "emergencies only": (
        a_consent(category=[concept(f"{TERMINOLOGY}consentcategorycodes", "emrgonly")]),
        "Consent.category[0]",
    ),
    "no category": (a_consent(category=[]), "Consent.category"),
    "no patient": (a_consent(patient=None), "Consent.patient"),
    "a broken number": (
        a_consent(patient={"identifier": HERSELF["identifier"] | {"value": CANARY}}),
        "Consent.patient.identifier.value",
    ),
    "given by the mother": (a_consent(performer=[{"reference": "RelatedPerson/1"}]), "Consent.performer[0]"),
    "to be verified": (a_consent(verification=[{"verified": False}]), "Consent.verification"),
    "rules not known": (a_consent(implicitRules="urn:other"), "Consent.implicitRules"),
    "a modifier": (
        a_consent(modifierExtension=[{"url": "urn:other", "valueCode": CANARY}]),
        "Consent.modifierExtension",
    ),
    "a status that is not quite one": (a_consent(_status={"id": CANARY}), "Consent._status"),
    "given in a way of another": (
        a_consent(extension=[{"url": "urn:tsuzuri:consent-given", "valueCode": CANARY}]),
        "Consent.extension[0].valueCode",
    ),
    "no policy": (a_consent(policy=None), "Consent.policy"),
    "a policy of others": (a_consent(policy=[{"uri": "urn:other"}]), "Consent.policy"),
    "two policies": (a_consent(policy=[*POLICY, {"uri": "urn:other"}]), "Consent.policy"),
    "a policy in words": (a_consent(policy=None, policyRule={"text": CANARY}), "Consent.policyRule"),
    "a denial with exceptions that nobody names": (
        a_consent(deny(), policy=None, policyRule=a_rule("OPTOUTE")),
        "Consent.policyRule",
    ),
    "a policy and a rule": (a_consent(deny(), policyRule=a_rule("OPTOUT")), "Consent.policyRule"),
    "a permit among denials": (a_consent(policy=None, policyRule=a_rule("OPTOUT")), "Consent.policyRule"),
    "a denial among permits": (
        a_consent(deny(), policy=None, policyRule=a_rule("OPTIN")),
        "Consent.policyRule",
    ),
    "a denial that may deny more": (
        a_consent(deny(actor=[a_facility()]), policy=None, policyRule=a_rule("OPTOUT")),
        "Consent.policyRule",
    ),
    "a denial of a class under another policy": (
        a_consent(deny(**{"class": [a_class("INFECTION")]}), policy=[{"uri": "urn:other"}]),
        "Consent.policy",
    ),
    "policy text only": (a_consent() | {"provision": None}, "Consent.provision"),
    "neither permit nor deny": (a_consent(permit(type=None)), "Consent.provision.type"),
    "an unknown type": (a_consent(permit(type=CANARY)), "Consent.provision.type"),
    "an extension within": (
        a_consent(permit(extension=[{"url": "urn:other", "valueCode": CANARY}])),
        "Consent.provision.extension",
    ),
    "security labels": (
        a_consent(permit(securityLabel=[{"system": f"{TERMINOLOGY}v3-ActCode", "code": "PSY"}])),
        "Consent.provision.securityLabel",
    ),
    "data of some dates": (a_consent(permit(dataPeriod={"end": "2020"})), "Consent.provision.dataPeriod"),
    "data by instance": (
        a_consent(
            permit(data=[{"meaning": "instance", "reference": {"reference": f"Observation/{CANARY}"}}])
        ),
        "Consent.provision.data[0]",
    ),
    "data by author": (a_consent(permit(data=[instance("authoredby")])), "Consent.provision.data[0]"),
    "two referrals": (
        a_consent(permit(data=[instance(), instance()])),
        "Consent.provision.data[0] Consent.provision.data[1]",
    ),
    "nobody": (a_consent(permit(actor=None)), "Consent.provision.actor"),
    "an empty list of facilities": (a_consent(deny(actor=[])), "Consent.provision.actor"),
    "a facility by a local id": (
        a_consent(permit(actor=[a_facility() | {"reference": {"reference": f"Organization/{CANARY}"}}])),
        "Consent.provision.actor[0].reference",
    ),
    "a facility by a number of another form": (
        a_consent(permit(actor=[a_facility(CANARY)])),
        "Consent.provision.actor[0].reference",
    ),
    "a doctor at a facility": (
        a_consent(
            permit(
                actor=[a_facility() | {"reference": {"type": "Practitioner", **a_facility()["reference"]}}]
            )
        ),
        "Consent.provision.actor[0].reference",
    ),
    "who keeps the record": (
        a_consent(permit(actor=[a_facility(role="CST")])),
        "Consent.provision.actor[0].role",
    ),
    "a person without an id": (
        a_consent(
            permit(
                actor=[
                    {"role": concept(f"{TERMINOLOGY}v3-RoleCode", "PRN"), "reference": {"display": CANARY}}
                ],
                purpose=[a_purpose("FAMRQT")],
                **{"class": None},
            )
        ),
        "Consent.provision.actor[0].reference",
    ),
    "another action": (
        a_consent(permit(action=[concept(f"{TERMINOLOGY}consentaction", "disclose")])),
        "Consent.provision.action[0]",
    ),
    "another purpose": (
        a_consent(permit(purpose=[a_purpose("HRESCH")])),
        "Consent.provision.purpose[0]",
    ),
    "any purpose": (a_consent(permit(purpose=None)), "Consent.provision.purpose"),
    "any class": (a_consent(permit(**{"class": None})), "Consent.provision.class"),
    "another class": (
        a_consent(permit(**{"class": [a_class("Procedure", "http://hl7.org/fhir/resource-types")]})),
        "Consent.provision.class[0]",
    ),
    "codes that mean two things": (
        a_consent(
            permit(
                **{
                    "class": None,
                    "code": [{"coding": [a_class("CONDITION"), a_class("INFECTION")]}],
                }
            )
        ),
        "Consent.provision.code[0]",
    ),
    "a code in words": (
        a_consent(permit(**{"class": None, "code": [{"text": CANARY}]})),
        "Consent.provision.code[0]",
    ),
    "class and code": (
        a_consent(permit(code=[concept("urn:tsuzuri:record-class", "CONDITION")])),
        "Consent.provision",
    ),
    "without end": (a_consent(permit(period={"start": "2026-11-22"})), "Consent.provision.period.end"),
    "without period": (a_consent(permit(period=None)), "Consent.provision.period.end"),
    "over": (a_consent(permit(period={"end": "2026-11-21"})), "Consent.provision.period.end"),
    "over at this moment": (
        a_consent(permit(period={"end": NOON.isoformat()})),
        "Consent.provision.period.end",
    ),
    "a date that is a dummy": (
        a_consent(permit(period={"end": "9999-12-31"})),
        "Consent.provision.period.end",
    ),
    "later": (
        a_consent(permit(period={"start": "2026-11-23", "end": END})),
        "Consent.provision.period.start",
    ),
    "a denial for a time": (a_consent(deny(period={"end": END})), "Consent.provision.period"),
    "a denial in emergencies": (
        a_consent(deny(purpose=[a_purpose("TREAT"), a_purpose("ETREAT")])),
        "Consent.provision.purpose",
    ),
    "a denial for any purpose": (a_consent(deny(purpose=None)), "Consent.provision.purpose"),
    "a denial of payment alone": (
        a_consent(deny(purpose=[a_purpose("HPAYMT")])),
        "Consent.provision.purpose",
    ),
    "a denial of one referral": (a_consent(deny(data=[instance()])), "Consent.provision.data"),
    "a denial of observations": (
        a_consent(deny(**{"class": [a_class("Observation", "http://hl7.org/fhir/resource-types")]})),
        "Consent.provision.class",
    ),
    "a denial of who stands for her": (
        a_consent(deny(actor=[a_person("mother", concept(f"{TERMINOLOGY}v3-RoleCode", "PRN"))])),
        "Consent.provision.actor",
    ),
    "facilities and people": (
        a_consent(permit(actor=[a_facility(), a_person("m", concept(f"{TERMINOLOGY}v3-RoleCode", "PRN"))])),
        "Consent.provision.actor",
    ),
    "an exception to a permit": (a_consent(permit(provision=[deny(purpose=None)])), "Consent.provision.type"),
    "an exception to a denial": (a_consent(deny(provision=[permit(purpose=None)])), "Consent.provision.type"),
    "an exception to an exception": (
        a_consent({"provision": [permit(provision=[deny()])]}),
        "Consent.provision.provision[0].provision[0]",
    ),
    "limited twice": (
        a_consent({"purpose": [a_purpose("TREAT")], "provision": [permit()]}),
        "Consent.provision.provision[0]",
    ),
    "one facility permitted twice": (
        a_consent({"provision": [permit(), permit(**{"class": [a_class("INFECTION")]})]}),
        "Consent.provision",
    ),
    "too much at once": (
        a_consent(permit(actor=[a_facility(f"13{number:08}") for number in range(101)])),
        "Consent.provision",
    ),
    "a resource of another type": ({"resourceType": "Patient"}, "Consent"),
    "a shape that is not FHIR's": (a_consent(permit(purpose=CANARY)), "Consent.provision.purpose"),
    "a name that is not FHIR's": (a_consent(permit(**{CANARY: 1})), "Consent.provision"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_said_exactly_is_refused_at_its_place_and_alone(name: str) -> None:
    consent, place = REFUSED[name]

    told = missing(consent)

    assert " ".join(told) == place
    assert CANARY not in str(told) and NUMBER not in str(told)


def test_all_that_is_missing_is_told_at_once() -> None:
    told = missing(a_consent(permit(actor=None, purpose=None, period=None, **{"class": None}), policy=None))

    assert set(told) == {f"Consent.{one}" for one in ("policy", *map("provision.".__add__, PARTS))}


PARTS = ("actor", "period.end", "class", "purpose")


@pytest.mark.parametrize(
    ("received", "place"),
    [
        (b"{", "line 1 column 2"),
        (b"\xff", "byte 0"),
        (b"[]", "Consent"),
        (
            sent(a_consent()).replace(b'"type":"permit"', b'"type":"permit","type":"deny"'),
            "Consent.provision.type",
        ),
    ],
)
def test_what_is_not_one_json_object_is_refused(received: bytes, place: str) -> None:
    with pytest.raises(ConsentInexpressible) as refused:
        read_consent(received, NOON)

    assert [gap.path for gap in refused.value.gaps] == [place]
