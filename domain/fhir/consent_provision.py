"""One provision of a FHIR Consent: to whom, what, what for and how long. Each element is understood, or is a gap."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.fhir.consent_codes import (
    ACCESS,
    CLASSES,
    DOCUMENT_SYSTEM,
    OBSERVATION,
    PERSON_SYSTEM,
    PURPOSE_SYSTEM,
    RECIPIENTS,
    RELATIONS,
    pair,
    pairs,
)
from tsuzuri.domain.fhir.consent_gaps import Gaps
from tsuzuri.domain.fhir.elements import Element, end_of, system_of
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.identifiers import FACILITY_SYSTEM, MalformedNumber, facility_number
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass, in_order

PERMIT, DENY = "permit", "deny"
_CODING = ("system", "code", "display", "version", "userSelected", "id")
_ORGANIZATION = "resourceType id meta text identifier active type name alias telecom address contact".split()
_REFERENCE = ("reference", "type", "identifier", "display", "id")


@dataclass(frozen=True)
class Person:
    """Who stands for the patient."""

    id: str
    relation: ProxyRelation


@dataclass(frozen=True)
class Period:
    """From *since* (inclusive) until *until* (exclusive), aware; None: open at that side."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class Limits:
    """What one provision says, or a rule within another. None: it says nothing of that, and so does not limit it.

    What it says and nobody understands is left out of the tuples, which may become empty; but then there is a gap.
    """

    actors: tuple[str | Person, ...] | None = None  # facilities by number, and people
    classes: tuple[RecordClass, ...] | None = None
    purposes: tuple[PurposeOfUse, ...] | None = None
    period: Period | None = None
    document: UUID | None = None
    of_observations: bool | None = None  # True: a class is told by the resource type Observation

    def within(self, outer: "Limits", place: str, gaps: Gaps) -> "Limits":
        """These and the outer ones together. What both of them limit is a gap: which of them holds is not said."""
        both = {}
        for name in (field.name for field in fields(self)):
            inner, other = getattr(self, name), getattr(outer, name)
            if inner is not None and other is not None and name != "of_observations":
                gaps.add(place, f"limits {name} as the provision around it does; limit it in one of them")
            both[name] = other if inner is None else inner
        return Limits(**both)


def read_limits(provision: Element, consent: Element, gaps: Gaps) -> Limits:
    """*consent* is the resource, whose contained Organizations the actors may be."""
    gaps.only(
        provision,
        *("type", "period", "actor", "action", "class", "code", "purpose", "data", "provision", "id"),
        securityLabel="security labels are not kept here; say in provision.class what may be seen",
        dataPeriod="a class is covered whatever its dates; a Consent for some dates only cannot be kept",
    )
    _check_actions(provision, gaps)
    told = tuple(_classes(provision, gaps))
    listed = {record_class for _, classes in told for record_class in classes}
    actors = tuple(_actors(provision, consent, gaps))
    classes = in_order(listed)
    purposes = tuple(dict.fromkeys(_purposes(provision, gaps)))
    return Limits(
        actors=actors if provision.has("actor") else None,
        classes=classes if provision.has("class") or provision.has("code") else None,
        purposes=purposes if provision.has("purpose") else None,
        period=_period(provision, gaps),
        document=_document(provision, gaps),
        of_observations=any(code == OBSERVATION for code, _ in told) or None,
    )


def _check_actions(provision: Element, gaps: Gaps) -> None:
    for action in provision.elements("action"):
        gaps.only(action, "coding", "text", "id")
        if set(pairs(action)) != {ACCESS}:
            gaps.add(
                action.place, "only access is consented to here; leave other actions out, or all of them"
            )


def _actors(provision: Element, consent: Element, gaps: Gaps) -> Iterator[str | Person]:
    for actor in provision.elements("actor"):
        gaps.only(actor, "role", "reference", "id")
        roles, reference = set(pairs(actor.element("role"))), actor.element("reference")
        if reference is None:
            gaps.add(actor.place, "names nobody")
            continue
        gaps.only(reference, *_REFERENCE)
        relation = next((one for one, code in RELATIONS.items() if roles == {code}), None)
        if relation is not None:
            person = _identified(reference, PERSON_SYSTEM)
            yield Person(person or "", relation)
            if not person:
                gaps.add(
                    reference.place, f"name the person by an identifier of {PERSON_SYSTEM}, as her token does"
                )
        elif roles and roles <= set(RECIPIENTS):
            yield from _facility(reference, consent, gaps)
        else:
            gaps.add(
                f"{actor.place}.role",
                "must be PRCP or IRCP, for a facility that may see; or PRN, GUARD, DELEGATEE, for who stands for the "
                "patient. Who keeps the record (CST), and all others, cannot be told here",
            )


def _facility(reference: Element, consent: Element, gaps: Gaps) -> Iterator[str]:
    """By 保険医療機関番号, in the reference or in the Organization that the Consent contains."""
    target = reference.text("reference") or ""
    numbers = {_identified(reference, FACILITY_SYSTEM)} - {None}
    if target.startswith("#"):
        found = References(()).find(reference, consent)
        if found is None or found.text("resourceType") != "Organization":
            numbers.clear()
        else:
            gaps.only(found, *_ORGANIZATION)
            numbers |= {
                i.text("value") for i in found.elements("identifier") if system_of(i) == FACILITY_SYSTEM
            }
    elif target and "Organization/" not in target or reference.text("type") not in (None, "Organization"):
        numbers.clear()  # a person, or a group, at a facility: fewer than all who work there
    if len(numbers) != 1 or not (number := numbers.pop()):
        gaps.add(
            reference.place,
            "is not a facility by its 保険医療機関番号: give reference.identifier with the system "
            f"{FACILITY_SYSTEM} and its 10 digits. People, groups, departments and devices cannot be told here",
        )
        return
    try:
        yield facility_number(number)
    except MalformedNumber as error:
        gaps.add(reference.place, str(error))


def _identified(reference: Element, system: str) -> str | None:
    identifier = reference.element("identifier")
    return identifier.text("value") if identifier and system_of(identifier) == system else None


def _classes(provision: Element, gaps: Gaps) -> Iterator[tuple[tuple[str, str], tuple[RecordClass, ...]]]:
    """Each code with what it covers."""
    if provision.has("class") and provision.has("code"):
        gaps.add(provision.place, "has class and code, of which both would have to hold; use one of them")
    concepts = []
    for coding in provision.elements("class"):
        gaps.only(coding, *_CODING)
        concepts.append((coding.place, [pair(coding)]))
    for concept in provision.elements("code"):
        gaps.only(concept, "coding", "text", "id")
        concepts.append((concept.place, pairs(concept)))
    for place, codes in concepts:
        covered = {CLASSES.get(code) for code in codes}
        if len(covered) == 1 and (classes := covered.pop()):
            yield from ((code, classes) for code in codes)
        else:
            gaps.add(
                place,
                "is no class of the record: use a code of urn:tsuzuri:record-class, a resource type (Condition, "
                "AllergyIntolerance, Observation, MedicationRequest), or the LOINC code of a document",
            )


def _purposes(provision: Element, gaps: Gaps) -> Iterator[PurposeOfUse]:
    for coding in provision.elements("purpose"):
        gaps.only(coding, *_CODING)
        system, code = pair(coding)
        if system == PURPOSE_SYSTEM and code in PurposeOfUse.__members__:
            yield PurposeOfUse(code)
        else:
            names = ", ".join(PurposeOfUse)
            gaps.add(
                coding.place, f"is no purpose that is told apart here; those of {PURPOSE_SYSTEM} are {names}"
            )


def _period(provision: Element, gaps: Gaps) -> Period | None:
    period = provision.element("period")
    if period is None:
        return None
    gaps.only(period, "start", "end", "id")
    told = Period(period.moment("start"), end_of(period))
    for key, moment in (("start", told.since), ("end", told.until)):
        if period.has(key) and moment is None:
            gaps.add(f"{period.place}.{key}", "is no date between the years 1800 and 9000")
    return told


def _document(provision: Element, gaps: Gaps) -> UUID | None:
    """The one referral that a rule is for. Nothing else can be told piece by piece."""
    named = provision.elements("data")
    for data in named:
        gaps.only(data, "meaning", "reference", "id")
        reference = data.element("reference")
        value = _identified(reference, DOCUMENT_SYSTEM) if reference else None
        try:
            if len(named) == 1 and data.text("meaning") == "instance" and value and reference:
                gaps.only(reference, "type", "identifier", "display", "id")
                return UUID(value)
        except ValueError:
            pass
        gaps.add(
            data.place,
            "a consent here is for classes of the record, or for one referral (meaning instance, reference.identifier "
            f"with the system {DOCUMENT_SYSTEM}); say in provision.class what may be seen",
        )
    return None
