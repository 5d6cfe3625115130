"""The numbers that name a Bundle's patient, and when each of them holds."""

from collections.abc import Callable
from typing import TypeVar

from tsuzuri.domain.fhir.elements import Element, end_of, system_of
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.identifiers import (
    INSURED_PERSON_SYSTEM,
    LOCAL_SYSTEMS,
    PUBLIC_PAYER_SYSTEM,
    InsuredPersonNumber,
    LocalNumber,
    MalformedNumber,
    NationalNumber,
    PatientNumber,
    PublicAssistanceNumber,
)
from tsuzuri.domain.record import Period

Number = TypeVar("Number", bound=PatientNumber)
National = TypeVar("National", bound=NationalNumber)
Found = tuple[Number, Period | None]
"""A number, and when it holds where that is stated."""

_FACILITY_DIGITS = 10


def insured_person(patient: Element) -> Found[InsuredPersonNumber] | None:
    """Raises BundleRejected when one is malformed, or when there are two."""
    return _the_one(patient, INSURED_PERSON_SYSTEM, InsuredPersonNumber.parse, "insured-person")


def public_assistance(patient: Element) -> Found[PublicAssistanceNumber] | None:
    """Raises BundleRejected when one is malformed, or when there are two."""
    return _the_one(patient, PUBLIC_PAYER_SYSTEM, PublicAssistanceNumber.parse, "public assistance")


def local(patient: Element, facility: str, warnings: list[str]) -> Found[LocalNumber] | None:
    """The sender's own number for her. Raises BundleRejected when one is malformed.

    A number of another facility's means something only as this sender uses it: it gets a place of its own among
    the sender's numbers, so that nobody reaches another facility's patient through that facility's number.
    """
    found: list[Found[LocalNumber]] = []
    for identifier in patient.elements("identifier"):
        issuer = _issuer(system_of(identifier) or "", facility)
        if issuer is None:
            continue
        try:
            number = LocalNumber.parse(issuer, identifier.text("value") or "")
        except MalformedNumber as error:
            raise BundleRejected(identifier.place, str(error)) from None
        found.append((number, _period(identifier)))
    own = [one for one in found if one[0].facility == facility]
    if found and not own:
        warnings.append("patient-number-of-another-facility")
        foreign, period = found[0]
        return LocalNumber.parse(facility, f"{foreign.facility}^{foreign.number}"), period
    return next(iter(own), None)


def same_number(identifier: Element, number: NationalNumber) -> bool:
    """Whether a logical reference of the number's system names it. Raises BundleRejected when it is malformed."""
    return _parsed(identifier, type(number).parse) == number


def _the_one(
    patient: Element, system: str, parse: Callable[[str], National], what: str
) -> Found[National] | None:
    found: Found[National] | None = None
    for identifier in patient.elements("identifier"):
        if system_of(identifier) != system:
            continue
        number = _parsed(identifier, parse)
        if found and number != found[0]:
            raise BundleRejected(
                f"{patient.place}.identifier", f"holds two {what} numbers; send the valid one"
            )
        found = number, _period(identifier)
    return found


def _parsed(identifier: Element, parse: Callable[[str], National]) -> National:
    try:
        return parse(identifier.text("value") or "")
    except MalformedNumber as error:
        raise BundleRejected(f"{identifier.place}.value", str(error)) from None


def _issuer(system: str, facility: str) -> str | None:
    """The facility whose local numbers a system holds, or None when it is no such system."""
    for prefix in LOCAL_SYSTEMS:
        if system == prefix:
            return facility
        digits = system.removeprefix(prefix)
        if digits != system and len(digits) == _FACILITY_DIGITS and digits.isascii() and digits.isdigit():
            return digits
    return None


def _period(identifier: Element) -> Period | None:
    stated = identifier.element("period")
    if stated is None:
        return None
    since, until = stated.moment("start"), end_of(stated)
    return None if since is None and until is None else Period(since=since, until=until)
