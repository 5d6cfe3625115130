"""同意 as FHIR R4 Consent resources: what stands, one resource each, that reads back as exactly the same."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tsuzuri.domain.consent_intentions import (
    IntendedDenial,
    IntendedGrant,
    IntendedProxy,
    Intention,
    standing,
)
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.fhir.consent_codes import (
    CATEGORIES,
    CLASS_SYSTEM,
    CONSENT_SYSTEM,
    CONSENTED_PURPOSES,
    DOCUMENT_SYSTEM,
    GIVEN_URL,
    PERSON_SYSTEM,
    POLICY,
    PURPOSE_SYSTEM,
    RECIPIENTS,
    RELATIONS,
    SCOPE,
)
from tsuzuri.domain.fhir.consent_provision import DENY, PERMIT
from tsuzuri.domain.identifiers import FACILITY_SYSTEM
from tsuzuri.domain.vocabulary import TERMS, PurposeOfUse, RecordClass

Json = dict[str, Any]


def consent_resources(consents: Consents, at: datetime) -> list[Json]:
    """One Consent for each grant, denial and appointment that stands at *at* (aware), in that order."""
    return [_resource(consents.patient, said, meant) for said, meant in standing(consents, at)]


def _resource(patient: UUID, said: UUID, meant: Intention) -> Json:
    whom = {"reference": f"Patient/{patient}"}
    resource: Json = {
        "resourceType": "Consent",
        "identifier": [{"system": CONSENT_SYSTEM, "value": str(said)}],
        "status": "active",
        "scope": _concept(*SCOPE),
        "category": [_concept(*CATEGORIES[0])],
        "patient": whom,
        "performer": [whom],
        "policy": [{"uri": POLICY}],
        "provision": _provision(meant),
    }
    if isinstance(meant, IntendedGrant):
        resource["extension"] = [{"url": GIVEN_URL, "valueCode": meant.given}]
    return resource


def _provision(meant: Intention) -> Json:
    match meant:
        case IntendedGrant():
            return {
                "type": PERMIT,
                "period": _period(meant),
                "actor": [_facility(meant.facility)],
                "purpose": [_purpose(meant.purpose)],
                "class": _classes(meant.classes),
            } | ({"data": [_referral(meant.document)]} if meant.document else {})
        case IntendedDenial():
            actors = {"actor": [_facility(meant.facility)]} if meant.facility else {}
            classes = {"class": _classes(meant.classes)} if meant.classes else {}
            return {
                "type": DENY,
                **actors,
                "purpose": [_purpose(one) for one in CONSENTED_PURPOSES],
                **classes,
            }
        case IntendedProxy():
            person = {"identifier": {"system": PERSON_SYSTEM, "value": meant.person}}
            return {
                "type": PERMIT,
                "period": _period(meant),
                "actor": [{"role": _concept(*RELATIONS[meant.relation]), "reference": person}],
                "purpose": [_purpose(PurposeOfUse.FAMRQT)],
            }
        case _:
            raise AssertionError("what stands is no withdrawal")


def _period(meant: IntendedGrant | IntendedProxy) -> Json:
    since = {"start": meant.since.isoformat()} if meant.since else {}
    return {**since, "end": meant.until.isoformat()}


def _facility(number: str) -> Json:
    identified = {"type": "Organization", "identifier": {"system": FACILITY_SYSTEM, "value": number}}
    return {"role": _concept(*RECIPIENTS[0]), "reference": identified}


def _referral(document: UUID) -> Json:
    identified = {"type": "Composition", "identifier": {"system": DOCUMENT_SYSTEM, "value": str(document)}}
    return {"meaning": "instance", "reference": identified}


def _purpose(purpose: PurposeOfUse) -> Json:
    return {"system": PURPOSE_SYSTEM, "code": purpose.value}


def _classes(classes: tuple[RecordClass, ...]) -> list[Json]:
    return [{"system": CLASS_SYSTEM, "code": one.value, "display": TERMS[one]} for one in classes]


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}
