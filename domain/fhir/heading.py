"""What a Bundle says of itself: the identifier by which it is replaced or cancelled, and when it was made."""

import re
from dataclasses import dataclass
from datetime import datetime

from tsuzuri.domain.fhir.elements import Element
from tsuzuri.domain.fhir.people import Facility
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.identifiers import MalformedNumber, facility_number

_OF_FACILITY = re.compile(r"([0-9]{10})\^[0-9]{4}\^.+", re.DOTALL)  # institution^YYYY^local id


@dataclass(frozen=True)
class Heading:
    system: str
    value: str
    timestamp: datetime  # aware, UTC
    facility: str | None  # the ten digits the identifier begins with, if it is of the guide's form


def heading(bundle: Element) -> Heading:
    """Raises BundleRejected when system, value or timestamp is missing."""
    identifier = bundle.element("identifier")
    value = _required(identifier, "value")
    timestamp = bundle.moment("timestamp")
    if timestamp is None:
        raise BundleRejected("Bundle.timestamp", "is missing; a Bundle says when it was made")
    return Heading(_required(identifier, "system"), value, timestamp, _facility(value))


def _required(identifier: Element | None, key: str) -> str:
    found = identifier.text(key) if identifier else None
    if found is None:
        reason = "is missing; without it the Bundle could never be replaced or cancelled"
        raise BundleRejected(f"Bundle.identifier.{key}", reason)
    return found


def _facility(value: str) -> str | None:
    match = _OF_FACILITY.fullmatch(value)
    try:
        return facility_number(match[1]) if match else None
    except MalformedNumber:
        return None


def settled(facility: Facility | None, told: Heading, warnings: list[str]) -> Facility:
    """The facility found in the resources, else the identifier's. They may differ: published examples do."""
    if facility is None:
        if told.facility is None:
            raise BundleRejected(
                "Bundle",
                "names no facility: give custodian, author or the institution extension its 10 digits",
            )
        return Facility(told.facility)
    if told.facility and told.facility != facility.number:
        warnings.append("bundle-identifier-names-another-facility")
    return facility
