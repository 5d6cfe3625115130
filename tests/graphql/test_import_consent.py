"""The patient hands in a FHIR Consent, and what a clinician may see follows; all of it, or nothing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from consent_examples import (
    END,
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
from examples import CLINIC, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, OPERATOR, a_bundle, a_caller, herself
from projection_examples import rebuilt
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.projections.catalogue import PROJECTIONS
from world import CONSENT, KEY, Tell, World, names, own_consent, record_id, tell_in

IMPORT = "mutation($resource: String!) { importConsent(resource: $resource) { events notKept } }"
GIVEN_OUT = "{ me { consentResources } }"
LINK = """mutation($survivor: ID!, $other: ID!) {
  linkPatients(survivor: $survivor, other: $other, reason: "確認済") }"""
OTHER_NUMBER = "00099999:え:7:01"
PARENT = concept("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "PRN")
MOTHER = a_caller(person="mother", role=Role.PATIENT, patient=UUID(int=77))
FOR_HER = "query($patient: ID!) { me(patient: $patient) { consentResources record { grounds { basis } } } }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def begun(world: World) -> Caller:
    """One diagnosis, and the patient it is about."""
    await world.register()
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    patient = record_id(await world.record())
    await world.data(
        herself(patient), f'mutation {{ withdrawConsent(patient: {KEY}, facility: "{HOSPITAL}") }}'
    )
    return herself(patient)


async def handed_in(world: World, caller: Caller, consent: Json) -> dict[str, Any]:
    """importConsent's answer, or the extensions of its error."""
    answer = await world.ask(caller, IMPORT, resource=json.dumps(consent))
    if "errors" in answer:
        (error,) = answer["errors"]
        extensions: dict[str, Any] = error["extensions"]
        return extensions
    imported: dict[str, Any] = answer["data"]["importConsent"]
    return imported


async def given_out(world: World, me: Caller) -> list[Json]:
    return [json.loads(one) for one in (await world.data(me, GIVEN_OUT))["me"]["consentResources"]]


def test_a_grant_by_fhir_lets_a_clinician_read_and_its_end_stops_her(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        assert (await world.record())["__typename"] == "AccessRefused"

        imported = await handed_in(world, me, a_consent(dateTime="2026-11-20"))

        assert names(await world.record()) == ["上腹部痛"]
        assert imported["notKept"] == ["Consent.dateTime"]
        (resource,) = await given_out(world, me)
        assert resource["identifier"] == [{"system": "urn:tsuzuri:consent", "value": imported["events"][0]}]
        await handed_in(world, me, resource | {"status": "inactive"})
        assert (await world.record())["__typename"] == "AccessRefused"
        assert await given_out(world, me) == []
        assert await handed_in(world, me, resource | {"status": "inactive"}) == {
            "code": "NOTHING_TO_WITHDRAW"
        }

    tell(story)


def test_a_denial_by_fhir_refuses_and_its_end_lets_read_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        assert names(await world.record()) == ["上腹部痛"]

        await handed_in(world, me, a_consent(deny(**{"class": [a_class("CONDITION")]})))

        assert (await world.record())["__typename"] == "AccessRefused"
        _, resource = await given_out(world, me)
        assert resource["provision"]["type"] == "deny"
        assert await handed_in(world, me, resource) == {"code": "DENIED_ALREADY"}
        await handed_in(world, me, resource | {"status": "inactive"})
        assert names(await world.record()) == ["上腹部痛"]

    tell(story)


def test_what_one_consent_says_is_changed_in_one_transaction_or_not_at_all(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        denial = deny(actor=[a_facility(CLINIC)])
        before = world.events("consent-granted")
        rules = a_consent({"provision": [permit(), denial]})

        imported = await handed_in(world, me, rules)

        assert len(imported["events"]) == 2
        assert names(await world.record()) == ["上腹部痛"]
        again = await handed_in(world, me, a_consent({"provision": [permit(period={"end": "2089"}), denial]}))
        assert again == {"code": "DENIED_ALREADY"}
        assert world.events("consent-granted") == before + 1, (
            "the grant beside the denial was not made either"
        )
        world.project()
        for name, projection in PROJECTIONS.items():
            assert rebuilt(world.connection, projection).equal, name

    tell(story)


def test_who_stands_for_her_is_appointed_sees_her_consents_and_changes_none(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        person = permit(actor=[a_person("mother", PARENT)], purpose=[a_purpose("FAMRQT")], **{"class": None})

        await handed_in(world, me, a_consent(person))

        seen = (await world.data(MOTHER, FOR_HER, patient=str(me.patient)))["me"]
        assert seen["record"]["grounds"] == [{"basis": "PROXY"}]
        assert seen["consentResources"] == (await world.data(me, GIVEN_OUT))["me"]["consentResources"]
        assert (await handed_in(world, MOTHER, a_consent()))["code"] == "FORBIDDEN"
        (resource,) = await given_out(world, me)
        await handed_in(world, me, resource | {"status": "inactive"})
        assert (await world.data(MOTHER, FOR_HER, patient=str(me.patient)))["me"] is None

    tell(story)


def test_nobody_hands_in_a_consent_for_somebody_else(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        other = a_bundle(number=NUMBER.replace("187", "188"), local_id="set-2")
        await world.application.register_bundle(
            HOSPITAL_SYSTEM, other.replace(CLINIC.encode(), HOSPITAL.encode())
        )
        whom = a_consent()["patient"]["identifier"]

        for caller in (HOSPITAL_SYSTEM, OPERATOR, herself(UUID(int=5))):
            assert (await handed_in(world, caller, a_consent()))["code"] == "FORBIDDEN"
        for number in ("188", "189"):
            hers = {"identifier": whom | {"value": NUMBER.replace("187", number)}}
            assert (await handed_in(world, me, a_consent(patient=hers)))["code"] == "FORBIDDEN"
        unknown = await handed_in(world, me, a_consent(patient={"reference": "Patient/f001"}))
        assert [one["path"] for one in unknown["missing"]] == ["Consent.patient"]

    tell(story)


def test_what_cannot_be_taken_exactly_changes_nothing_and_tells_what_is_missing(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        before = [world.events("consent-granted"), world.events("consent-denied")]
        label = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]
        provision = {"provision": [permit(), deny(securityLabel=label)]}

        refused = await handed_in(world, me, a_consent(provision))
        read = await handed_in(world, me, a_consent(extension=[given("card-reader")]))
        letter = permit(**{"class": [a_class("REFERRAL")], "data": [no_referral()]})
        useless = await handed_in(world, me, a_consent(letter))

        assert refused["code"] == read["code"] == "CONSENT_INEXPRESSIBLE"
        assert [one["path"] for one in refused["missing"]] == ["Consent.provision.provision[1].securityLabel"]
        assert [one["path"] for one in read["missing"]] == ["Consent.extension"]
        assert useless["code"] == "USELESS_CONSENT"
        assert before == [world.events("consent-granted"), world.events("consent-denied")]

    tell(story)


def given(how: str) -> Json:
    return {"url": "urn:tsuzuri:consent-given", "valueCode": how}


def no_referral() -> Json:
    identifier = {"system": "urn:tsuzuri:document", "value": str(UUID(int=6))}
    return {"meaning": "instance", "reference": {"identifier": identifier}}


def test_an_end_that_would_end_another_consent_too_is_refused(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        both = permit(purpose=[a_purpose("TREAT"), a_purpose("HPAYMT")])
        await handed_in(world, me, a_consent(both))
        first, _ = await given_out(world, me)

        refused = await handed_in(world, me, first | {"status": "inactive"})

        assert [one["path"] for one in refused["missing"]] == ["Consent.identifier"]
        assert len(await given_out(world, me)) == 2

    tell(story)


def test_what_was_given_at_the_card_reader_ends_by_fhir_and_her_own_stays(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        assert me.patient is not None
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        await world.data(me, own_consent(me.patient))
        at_reader, own = await given_out(world, me)
        assert at_reader["extension"] == [given("card-reader")]

        await handed_in(world, me, at_reader | {"status": "inactive"})

        assert await given_out(world, me) == [own]
        assert own["provision"]["period"]["end"] == "2089-12-31T15:00:00+00:00"

    tell(story)


def test_what_was_said_under_another_number_of_hers_ends_by_fhir_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        other = a_bundle(number=OTHER_NUMBER, facility=HOSPITAL, local_id="set-2")
        second = (await world.application.register_bundle(HOSPITAL_SYSTEM, other)).patient
        await world.data(OPERATOR, LINK, survivor=str(me.patient), other=str(second))
        whom = a_consent()["patient"]["identifier"] | {"value": OTHER_NUMBER}
        denial = deny(**{"class": [a_class("CONDITION")]})

        await handed_in(world, me, a_consent(denial, patient={"identifier": whom}))

        resource = next(one for one in await given_out(world, me) if one["provision"]["type"] == "deny")
        assert resource["patient"] == {"reference": f"Patient/{me.patient}"}, "the survivor stands for both"
        assert (await preview(world, me)) == []
        await handed_in(world, me, resource | {"status": "inactive"})
        assert (await preview(world, me)) == ["CONDITION"]

    tell(story)


async def preview(world: World, me: Caller) -> list[str]:
    """What the hospital would lose if she denied it everything: what it may see by consent now."""
    asked = f'{{ me {{ preview(change: DENY, facility: "{HOSPITAL}") {{ loses }} }} }}'
    told = (await world.data(me, asked))["me"]["preview"]
    return [record_class for one in told for record_class in one["loses"]]


def test_two_at_once_are_both_made(tell: Tell) -> None:
    async def story(world: World) -> None:
        me = await begun(world)
        policy = {"policy": None, "policyRule": a_rule("OPTIN")}
        one = a_consent(permit(period={"end": END}), **policy)
        other = a_consent(permit(actor=[a_facility(CLINIC)]), **policy)

        await asyncio.gather(handed_in(world, me, one), handed_in(world, me, other))

        facilities = [
            one["provision"]["actor"][0]["reference"]["identifier"]["value"]
            for one in await given_out(world, me)
        ]
        assert sorted(facilities) == sorted([HOSPITAL, CLINIC])

    tell(story)
