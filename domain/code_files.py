"""A release as a file: CSV (UTF-8) with one header, or JSON, an array of objects with the same names.

    system,code,display,valid_from,valid_to,class,group

What is not said is left empty. A group is named by a line of its own, whose system is `urn:tsuzuri:group`.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import combinations

import msgspec

from tsuzuri.domain.codes import ANY, GROUPS, CodeEntry, Release, system_of
from tsuzuri.domain.rules.systems import LOCAL_LABORATORY
from tsuzuri.domain.vocabulary import RecordClass

HEADER = ("system", "code", "display", "valid_from", "valid_to", "class", "group")
GROUP_ID = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FAULTS_TOLD = 20


class ReleaseMalformed(ValueError):
    """The file cannot be taken up. Says every place, and what is wrong there."""


@dataclass(frozen=True)
class _Placed:
    place: str  # "line 3" of CSV, "entry 3" of JSON
    entry: CodeEntry


def read_release(name: str, body: bytes) -> Release:
    """A file's release under *name*; its order does not matter. Raises ReleaseMalformed."""
    if not _NAME.fullmatch(name):
        raise ReleaseMalformed(f'"{name}" cannot name a release: letters, digits, ".", "-" and "_", up to 64')
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise ReleaseMalformed(f"line {line}: not UTF-8") from None
    faults: list[str] = []
    placed: list[_Placed] = []
    for place, cells in _json_cells(text) if text.lstrip().startswith("[") else _csv_cells(text):
        try:
            placed.append(_Placed(place, _entry(cells)))
        except ValueError as error:
            faults.append(f"{place}: {error}")
    faults += _contradictions(placed)
    if not placed and not faults:
        faults.append("there is no code in it")
    if faults:
        more = [f"and {len(faults) - _FAULTS_TOLD} more"] if len(faults) > _FAULTS_TOLD else []
        raise ReleaseMalformed("\n".join([*faults[:_FAULTS_TOLD], *more]))
    return Release(name, tuple(sorted((one.entry for one in placed), key=_row)))


def canonical_bytes(release: Release) -> bytes:
    """As CSV, in one order and one spelling: the same release gives the same bytes, and they read as the same."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(sorted(map(_row, release.entries)))
    return file.getvalue().encode()


def release_sha256(release: Release) -> str:
    """Hex, of the canonical bytes: tells two releases apart, whatever they are called."""
    return sha256(canonical_bytes(release)).hexdigest()


def _row(entry: CodeEntry) -> tuple[str, ...]:
    dates = ["" if day is None else day.isoformat() for day in (entry.valid_from, entry.valid_to)]
    return (entry.system, entry.code, entry.display, *dates, entry.record_class or "", entry.group or "")


def _csv_cells(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(reader, ())) != HEADER:
            raise ReleaseMalformed(f"line 1: the header is to be: {','.join(HEADER)}")
        for cells in reader:
            if len(cells) != len(HEADER):
                raise ReleaseMalformed(
                    f"line {reader.line_num}: {len(cells)} values instead of {len(HEADER)}"
                )
            yield f"line {reader.line_num}", dict(zip(HEADER, cells, strict=True))
    except csv.Error as error:
        raise ReleaseMalformed(f"line {reader.line_num}: {error}") from None


def _json_cells(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    try:
        found = msgspec.json.decode(text, type=list[dict[str, str | None]])
    except msgspec.MsgspecError as error:
        raise ReleaseMalformed(f"not an array of objects whose values are texts: {error}") from None
    for number, cells in enumerate(found, start=1):
        if strange := cells.keys() - set(HEADER):
            raise ReleaseMalformed(f"entry {number}: no column is called {min(strange)}")
        yield f"entry {number}", {name: cells.get(name) or "" for name in HEADER}


def _entry(cells: Mapping[str, str]) -> CodeEntry:
    """Raises ValueError, saying what is wrong."""
    for name in HEADER:
        if cells[name] != cells[name].strip() or not cells[name].isprintable():
            raise ValueError(f"{name} has blanks around it, or what cannot be printed in it")
    for name in ("system", "code", "display"):
        if not cells[name]:
            raise ValueError(f"{name} is empty")
    if cells["class"] and cells["class"] not in set(RecordClass):
        raise ValueError(f"no class is called {cells['class']}")
    entry = CodeEntry(
        system=system_of(cells["system"]),
        code=cells["code"],
        display=cells["display"],
        valid_from=_day("valid_from", cells["valid_from"]),
        valid_to=_day("valid_to", cells["valid_to"]),
        record_class=RecordClass(cells["class"]) if cells["class"] else None,
        group=cells["group"] or None,
    )
    if (entry.valid_from or date.min) > (entry.valid_to or date.max):
        raise ValueError("it ends before it begins")
    if entry.system == GROUPS and (not GROUP_ID.fullmatch(entry.code) or entry.group is not None):
        raise ValueError("a group has an id of capitals, digits and _, and belongs to no group itself")
    if entry.system == LOCAL_LABORATORY:
        raise ValueError("all facilities have this one system for their own codes: it cannot be listed")
    return entry


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{name} is not a day, YYYY-MM-DD") from None


def _contradictions(placed: Sequence[_Placed]) -> Iterator[str]:
    """Groups that nobody named, codes listed twice for one day, forms of which neither is the closer one."""
    groups = {one.entry.code: one.entry.record_class for one in placed if one.entry.system == GROUPS}
    for one in placed:
        if one.entry.group is None:
            continue
        if one.entry.group not in groups:
            yield f"{one.place}: no line names the group {one.entry.group} (system {GROUPS})"
        elif one.entry.record_class != groups[one.entry.group]:
            yield f"{one.place}: its class is not that of its group"
    alike: dict[tuple[str, ...], list[_Placed]] = defaultdict(list)
    for one in placed:
        formed = ANY in one.entry.code
        alike[one.entry.system, str(one.entry.fixed if formed else one.entry.code)].append(one)
    for some in alike.values():
        for first, second in _overlapping(some):
            yield f"{second.place}: it speaks of the same code on the same day as {first.place}"


def _overlapping(placed: Iterable[_Placed]) -> Iterator[tuple[_Placed, _Placed]]:
    for first, second in combinations(placed, 2):
        one, other = first.entry, second.entry
        together = one.valid(other.valid_from or date.min) or other.valid(one.valid_from or date.min)
        if together and len(one.code) == len(other.code) and _may_meet(one.code, other.code):
            yield first, second


def _may_meet(one: str, other: str) -> bool:
    """Whether there is a code of both forms."""
    return all(a == b or ANY in (a, b) for a, b in zip(one, other, strict=True))
