"""What a FHIR Consent says that cannot be said exactly is refused, at its place, and everything at once."""

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
from consent_meanings import (
    CANARY,
    instance,
    missing,
)
from examples import NOON, NUMBER
from tsuzuri.domain.fhir.consent import read_consent
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible

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
