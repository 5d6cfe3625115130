"""A list of facilities as a file: CSV (UTF-8) with a header, or JSON, an array of objects with the same names.

    number,name,kind,municipality,municipality_name,departments,department_codes,emergency

The columns may come in any order; number, name and kind must. In CSV the departments and their codes are parted by
";" and emergency is true, false or empty. A file is taken whole or not at all.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from tsuzuri.domain.facilities import Facility, FacilityMalformed, checked
from tsuzuri.domain.vocabulary import FacilityKind

HEADER = (
    "number",
    "name",
    "kind",
    "municipality",
    "municipality_name",
    "departments",
    "department_codes",
    "emergency",
)
_NEEDED = HEADER[:3]
_FAULTS_TOLD = 50
_TRUTHS = {"true": True, "false": False, "": False}


class _Line(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An object of the JSON array."""

    number: str
    name: str
    kind: str
    municipality: str | None = None
    municipality_name: str | None = None
    departments: tuple[str, ...] = ()
    department_codes: tuple[str, ...] = ()
    emergency: bool = False


@dataclass(frozen=True)
class _Placed:
    """What stands at one place of the file: a facility, or what is wrong."""

    place: str  # "line 3"
    found: Facility | FacilityMalformed


def read_facilities(body: bytes) -> Sequence[Facility]:
    """The facilities of a file, in its order.

    Raises:
        FacilityMalformed: a line for each fault: where it is, and what.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise FacilityMalformed(f"line {line}: not UTF-8") from None
    placed = list(_json(text) if text.lstrip().startswith("[") else _csv(text))
    faults, facilities, places = list[str](), list[Facility](), dict[str, str]()
    for one in placed:
        if isinstance(one.found, FacilityMalformed):
            faults.append(f"{one.place}: {one.found}")
            continue
        first = places.setdefault(one.found.number, one.place)
        if first is not one.place:
            faults.append(f"{one.place}: the same number as {first}")
        facilities.append(one.found)
    if not placed:
        faults.append("there is no facility in it")
    if faults:
        more = [f"and {len(faults) - _FAULTS_TOLD} more"] if len(faults) > _FAULTS_TOLD else []
        raise FacilityMalformed("\n".join([*faults[:_FAULTS_TOLD], *more]))
    return facilities


def _csv(text: str) -> Iterator[_Placed]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) < len(header) or not set(_NEEDED) <= set(header) <= set(HEADER):
            raise FacilityMalformed(f"line 1: the header is to be of: {','.join(HEADER)}")
        begins = reader.line_num + 1
        for values in reader:
            place, begins = f"line {begins}", reader.line_num + 1
            if len(values) != len(header):
                wrong = FacilityMalformed(f"{len(values)} values instead of {len(header)}")
                yield _Placed(place, wrong)
                continue
            yield _Placed(place, _of_cells(dict(zip(header, values, strict=True))))
    except csv.Error as error:
        raise FacilityMalformed(f"line {reader.line_num}: {error}") from None


def _of_cells(cells: dict[str, str]) -> Facility | FacilityMalformed:
    emergency = cells.get("emergency", "")
    if emergency not in _TRUTHS:
        return FacilityMalformed("emergency is true or false")
    return _facility(
        _Line(
            number=cells["number"],
            name=cells["name"],
            kind=cells["kind"],
            municipality=cells.get("municipality") or None,
            municipality_name=cells.get("municipality_name") or None,
            departments=_parted(cells.get("departments", "")),
            department_codes=_parted(cells.get("department_codes", "")),
            emergency=_TRUTHS[emergency],
        )
    )


def _parted(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(";")) if cell else ()


def _json(text: str) -> Iterator[_Placed]:
    try:
        objects = msgspec.json.decode(text, type=list[msgspec.Raw])
    except msgspec.MsgspecError as error:
        raise FacilityMalformed(f"not a JSON array: {error}") from None
    body, end, line = text.encode(), 0, 1
    for raw in map(bytes, objects):
        begins = body.index(raw, end)
        line += body.count(b"\n", end, begins)
        place = f"line {line}"
        line, end = line + raw.count(b"\n"), begins + len(raw)
        try:
            yield _Placed(place, _facility(msgspec.json.decode(raw, type=_Line)))
        except msgspec.MsgspecError as error:
            yield _Placed(place, FacilityMalformed(str(error)))


def _facility(line: _Line) -> Facility | FacilityMalformed:
    if line.kind not in set(FacilityKind):
        return FacilityMalformed(f"kind is none of {', '.join(FacilityKind)}")
    try:
        return checked(Facility(**msgspec.structs.asdict(line) | {"kind": FacilityKind(line.kind)}))
    except FacilityMalformed as malformed:
        return malformed
