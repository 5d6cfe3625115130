"""同意: a FHIR R4 Consent as what it means here, exactly, or not at all. docs/FHIR-CONSENT.md says what can be said."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fhir.resources.R4B.consent import Consent as R4Consent

from tsuzuri.domain.consent_intentions import IntendedWithdrawal, Intention
from tsuzuri.domain.consents import CARD_READER, ORAL, PATIENT
from tsuzuri.domain.fhir.consent_codes import CATEGORIES, CONSENT_SYSTEM, GIVEN_URL, POLICY, SCOPE, pairs
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible, Gap, Gaps
from tsuzuri.domain.fhir.consent_rules import read_rules
from tsuzuri.domain.fhir.elements import Element, system_of
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.fhir.shape import checked_resource
from tsuzuri.domain.identifiers import (
    INSURED_PERSON_SYSTEM,
    PUBLIC_PAYER_SYSTEM,
    InsuredPersonNumber,
    MalformedNumber,
    NationalNumber,
    PublicAssistanceNumber,
)

_UNDERSTOOD = (
    "resourceType status scope category patient performer policy policyRule provision identifier extension contained"
).split()
_NOT_KEPT = (
    "id meta language text dateTime _dateTime organization sourceAttachment sourceReference _language".split()
)
"""What says nothing of who may see what: the event has an id and time of its own; a signed paper stays where it is."""

_NOT_IN_FORCE = "only what is in force (active), and what has ended (inactive), can be taken"


@dataclass(frozen=True)
class ReadConsent:
    """What a Consent means."""

    patient: UUID | NationalNumber | None  # None: named in a way that means nobody here
    intentions: tuple[Intention, ...]  # at least one; all of them, or none, are to be carried out
    not_kept: tuple[str, ...]  # paths of what it says beside that


def read_consent(received: bytes, at: datetime) -> ReadConsent:
    """What a FHIR R4 Consent in JSON means when it is recorded at *at* (aware).

    Raises:
        ConsentInexpressible: with all that keeps it from being taken exactly.
    """
    gaps = Gaps()
    try:
        consent = Element(checked_resource(received, R4Consent), "Consent")
        patient = _patient(consent, gaps)
        _check_head(consent, gaps)
        intentions = tuple(_intentions(consent, at, gaps))
    except BundleRejected as rejected:
        raise ConsentInexpressible([Gap(rejected.place, rejected.reason)]) from None
    gaps.check()
    return ReadConsent(patient, intentions, tuple(_not_kept(consent)))


def _intentions(consent: Element, at: datetime, gaps: Gaps) -> Iterator[Intention]:
    match consent.text("status"):
        case "active":
            given = _given(consent, gaps)
            yield from read_rules(consent, given, at, gaps)
        case "inactive":
            said = [_event(one) for one in consent.elements("identifier")]
            events = [one for one in said if one]
            if len(events) == 1 and events[0]:
                yield IntendedWithdrawal(events[0])
            else:
                gaps.add(
                    "Consent.identifier",
                    f"what has ended is named by its identifier of {CONSENT_SYSTEM}, as it was given out here",
                )
        case _:
            gaps.add("Consent.status", _NOT_IN_FORCE)


def _check_head(consent: Element, gaps: Gaps) -> None:
    gaps.only(
        consent,
        *_UNDERSTOOD,
        *_NOT_KEPT,
        implicitRules="the rules it was made under are not known here",
        modifierExtension="is not understood here, and may change what all else means",
        verification="nobody verifies a consent here; leave it out when it need not be verified first",
    )
    if set(pairs(consent.element("scope"))) != {SCOPE}:
        gaps.add(
            "Consent.scope", "must be patient-privacy: research, treatment and directives are not kept here"
        )
    categories = consent.elements("category")
    for category in categories:
        codes = set(pairs(category))
        if not codes or not codes <= set(CATEGORIES):
            gaps.add(category.place, "must be LOINC 59284-0 or 64292-6, or INFA: others mean more, or less")
    if not categories:
        gaps.add("Consent.category", "is required and missing")
    whom = consent.element("patient")
    for performer in consent.elements("performer"):
        if whom is None or _named(performer) != _named(whom):
            gaps.add(performer.place, "must be the patient herself: nobody else consents for her here")


def _named(reference: Element) -> tuple[object, ...]:
    identifier = reference.element("identifier")
    value = (system_of(identifier), identifier.text("value")) if identifier else None
    return reference.text("reference"), value


def _patient(consent: Element, gaps: Gaps) -> UUID | NationalNumber | None:
    """Whom it is about: by a national number, or by our id."""
    whom = consent.element("patient")
    if whom is None:
        gaps.add("Consent.patient", "is required and missing")
        return None
    identifier = whom.element("identifier")
    if identifier is not None:
        value = identifier.text("value") or ""
        try:
            match system_of(identifier):
                case str(system) if system == INSURED_PERSON_SYSTEM:
                    return InsuredPersonNumber.parse(value)
                case str(system) if system == PUBLIC_PAYER_SYSTEM:
                    return PublicAssistanceNumber.parse(value)
        except MalformedNumber as error:
            gaps.add(f"{identifier.place}.value", str(error))
            return None
    target = whom.text("reference") or ""
    for prefix in ("Patient/", "urn:uuid:"):
        if target.startswith(prefix):
            return _uuid(target.removeprefix(prefix))
    return None


def _given(consent: Element, gaps: Gaps) -> str:
    """How it was given, where an extension of ours says so."""
    given = PATIENT
    ours = [one for one in consent.elements("extension") if one.text("url") == GIVEN_URL]
    for extension in ours:
        given = extension.text("valueCode") or ""
        if given not in (CARD_READER, ORAL, PATIENT) or len(ours) > 1:
            gaps.add(f"{extension.place}.valueCode", f"must be {CARD_READER}, {ORAL} or {PATIENT}, once")
    return given


def _event(identifier: Element) -> UUID | None:
    return _uuid(identifier.text("value") or "") if system_of(identifier) == CONSENT_SYSTEM else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _not_kept(consent: Element) -> Iterator[str]:
    if consent.text("status") == "inactive":
        return
    yield from (f"Consent.{key}" for key in (*_NOT_KEPT, "identifier") if consent.has(key))
    others = [
        ("policy", "uri", POLICY),
        ("contained", "resourceType", "Organization"),
        ("extension", "url", GIVEN_URL),
    ]
    for key, part, understood in others:
        yield from (one.place for one in consent.elements(key) if one.text(part) != understood)
