"""A FHIR element that knows its place, and the few kinds of value every resource is made of.

The shape check has passed, yet R4B lets through a number where text belongs and text where an object belongs,
so each accessor looks again and says where.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.record import Coding

JAPAN = timezone(timedelta(hours=9))  # no summer time since 1951; a fixed offset needs no time zone files
NUMBER_EXPONENT_MAX = 40

_YEAR, _MONTH, _DAY = len("2026"), len("2026-11"), len("2026-11-22")
_YEARS = (1800, 9000)  # outside of them a date is a dummy
_MOMENT = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_LINE_BREAK = re.compile(
    r"[\r\n\t\v\f\u2028\u2029]"
)  # alone: blanks before it would be tried again at each blank


class Element:
    """One JSON object of the Bundle, and the way to it. Absent and null are the same."""

    __slots__ = ("_above", "_step", "data")

    def __init__(self, data: dict[str, Any], step: str, above: "Element | None" = None) -> None:
        self.data = data
        self._step = step
        self._above = above

    @property
    def place(self) -> str:
        """ "Bundle.entry[4].resource.code": put together only where it is told."""
        steps, element = [self._step], self._above
        while element is not None:
            steps.append(element._step)
            element = element._above
        return ".".join(reversed(steps))

    def has(self, key: str) -> bool:
        return self.data.get(key) is not None

    def text(self, key: str) -> str | None:
        """The text, without blanks around it; None when nothing is left."""
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise BundleRejected(f"{self.place}.{key}", "must be text")
        return value.strip() or None

    def texts(self, key: str) -> list[str]:
        return [value.strip() for value in self._list(key) if isinstance(value, str) and value.strip()]

    def number(self, key: str) -> str | None:
        """The number in plain digits, all the decimals the sender gave."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, Decimal) and abs(value.adjusted()) <= NUMBER_EXPONENT_MAX:
            return format(value, "f")
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise BundleRejected(f"{self.place}.{key}", "must be a JSON number, of less than 40 digits")

    def truth(self, key: str) -> bool | None:
        value = self.data.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise BundleRejected(f"{self.place}.{key}", "must be true or false")

    def element(self, key: str) -> "Element | None":
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise BundleRejected(f"{self.place}.{key}", "must be an object")
        return Element(value, key, self)

    def elements(self, key: str) -> list["Element"]:
        """The objects of a list; of a single object, that one."""
        value = self.data.get(key)
        if value is None:
            return []
        if isinstance(value, dict):
            return [Element(value, key, self)]
        found = []
        for index, inner in enumerate(self._list(key)):
            if not isinstance(inner, dict):
                raise BundleRejected(f"{self.place}.{key}[{index}]", "must be an object")
            found.append(Element(inner, f"{key}[{index}]", self))
        return found

    def moment(self, key: str) -> datetime | None:
        """The earliest moment a date or dateTime may mean, UTC. None too when it lies outside the calendar."""
        text = self.text(key)
        try:
            return None if text is None else moment(text, key)
        except BundleRejected as rejected:
            raise BundleRejected(f"{self.place}.{key}", rejected.reason) from None

    def extension(self, name: str) -> "Element | None":
        """The extension whose URL ends with this name; the guide moved its extensions from root to root."""
        for extension in self.elements("extension"):
            url = extension.text("url") or ""
            if url.startswith("http://jpfhir.jp/") and url.endswith(f"/StructureDefinition/{name}"):
                return extension
        return None

    def _list(self, key: str) -> list[Any]:
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise BundleRejected(f"{self.place}.{key}", "must be a list")
        return value


def moment(text: str, place: str) -> datetime | None:
    """ "2018" is the first moment of that year in Japan, in UTC. None for dummies such as 0001-01-01 and 9999-12-31.

    Raises:
        BundleRejected: it is no FHIR date, dateTime or instant.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise BundleRejected(place, "is not a FHIR date or dateTime")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    in_reason = _YEARS[0] <= int(year) <= _YEARS[1]
    if second is not None and in_reason:
        with suppress(ValueError):  # what the calendar has not is looked at part by part
            exact = datetime.fromisoformat(text)
            return (exact if zone else exact.replace(tzinfo=JAPAN)).astimezone(UTC)
    # Added up rather than constructed: second 60 (a leap second) is the next minute's first.
    clock = timedelta(
        hours=int(hour or 0),
        minutes=int(minute or 0),
        seconds=int(second or 0),
        microseconds=int(f"{fraction or 0:0<6}"[:6]),
    )
    try:
        day_begins = datetime(int(year), int(month or 1), int(day or 1), tzinfo=_zone(zone))
    except ValueError:
        raise BundleRejected(place, "is a date that no calendar has") from None
    try:
        return (day_begins + clock).astimezone(UTC) if in_reason else None
    except OverflowError:
        return None


def end_of(period: Element) -> datetime | None:
    """The moment behind an end: a day, a month or a year that is named belongs to the period as a whole."""
    text, begins = period.text("end"), period.moment("end")
    if text is None or begins is None:
        return None
    day = begins.astimezone(JAPAN)
    if len(text) == _YEAR:
        day = day.replace(year=day.year + 1)
    elif len(text) == _MONTH:
        day = (day + timedelta(days=31)).replace(day=1)
    elif len(text) == _DAY:
        day += timedelta(days=1)
    return day.astimezone(UTC)


def _zone(text: str | None) -> timezone:
    if text is None:
        return JAPAN
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def one_line(text: str) -> str:
    return " ".join(line for part in _LINE_BREAK.split(text) if (line := part.strip()))


def system_of(element: Element) -> str | None:
    """A system, or None; without the `|version` some senders append."""
    system = element.text("system")
    return system.partition("|")[0] if system else None


def codings(concept: Element | None) -> tuple[Coding, ...]:
    """The codes of a CodeableConcept, in the sender's order. A coding without a code is none."""
    return tuple(_codings(concept)) if concept else ()


def _codings(concept: Element) -> Iterator[Coding]:
    for coding in concept.elements("coding"):
        if code := coding.text("code"):
            yield Coding(system=coding.text("system") or "", code=code, display=coding.text("display"))


def code_of(concept: Element | None) -> str | None:
    found = codings(concept)
    return found[0].code if found else None


def label(concept: Element | None) -> str | None:
    """What to show of a CodeableConcept: its text, else a display, else a code."""
    if concept is None:
        return None
    text = concept.text("text")
    displays = (coding.text("display") for coding in concept.elements("coding"))
    shown = text or next((display for display in displays if display), None) or code_of(concept)
    return one_line(shown) if shown else None
