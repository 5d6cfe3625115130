"""The code registry, コードの維持管理: which codes there are, until when, and which results belong into one trend.

A release is a name and its entries, and never changes. `Codes` is a release that can be asked.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from tsuzuri.domain.record import Coding
from tsuzuri.domain.rules.systems import (
    CLINS,
    CORE_LABORATORY,
    INFECTION_LABORATORY,
    canonical,
    last_name,
)
from tsuzuri.domain.vocabulary import RecordClass

GROUPS = "urn:tsuzuri:group"
"""The system of the entries that name the groups: code is a group's id, display its Japanese name."""
NATIONAL = (CORE_LABORATORY, INFECTION_LABORATORY)
"""Last names of the lists of the 43 tests and the 5 infections: what they say of a result counts first."""
ANY = "?"
"""Stands for any one character of a code: with it, an entry speaks of all codes of that form."""
_ANALYTE_LETTERS = 5  # of a JLAC10 code: the 測定物コード
_ASKED_MAX = 65_536  # codes whose entry is kept at hand

_BEFORE_THE_SPLIT = {f"{CLINS}/{name}": f"{CLINS}/JLAC10/{name}" for name in NATIONAL}
"""CLINS had one list of tests until it made one for JLAC10 and one for JLAC11: what it held were JLAC10 codes."""


def system_of(system: str) -> str:
    """The one spelling under which the registry knows a system: URL, OID, with `|version` or without."""
    known = canonical(system) or system
    return _BEFORE_THE_SPLIT.get(known, known)


@dataclass(frozen=True, kw_only=True)
class CodeEntry:
    """One code, or with `?` all codes of one form, as a release lists it."""

    system: str  # as `system_of` spells it
    code: str
    display: str
    valid_from: date | None = None  # 適用開始日, inclusive, in Japan; None: from the beginning
    valid_to: date | None = None  # 適用終了日, inclusive; None: to this day
    record_class: RecordClass | None = None
    group: str | None = None  # id of the group of results it belongs to

    @property
    def fixed(self) -> int:
        """How many of its characters are not `?`: the entry that says most about a code speaks for it."""
        return len(self.code) - self.code.count(ANY)

    def speaks_of(self, code: str) -> bool:
        if ANY not in self.code:
            return code == self.code
        return len(code) == len(self.code) and all(
            mine in (ANY, letter) for mine, letter in zip(self.code, code, strict=True)
        )

    def valid(self, at: date) -> bool:
        return (self.valid_from or date.min) <= at <= (self.valid_to or date.max)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Results that may be compared: one trend, whatever the facility and its code. The id is a name in capitals."""

    id: str
    name_ja: str
    record_class: RecordClass | None


@dataclass(frozen=True)
class Release:
    """All that the registry says under one name."""

    name: str
    entries: tuple[CodeEntry, ...]  # ordered


class CodesUnknown(LookupError):
    """No release of that name was ever taken up."""


class Codes:
    """A release, ready to be asked. It answers the same for ever: what a projection folds with it is repeatable."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.name = release.name
        self.groups = {
            entry.code: Group(id=entry.code, name_ja=entry.display, record_class=entry.record_class)
            for entry in release.entries
            if entry.system == GROUPS
        }
        listed: dict[tuple[str, str], list[CodeEntry]] = defaultdict(list)
        formed: dict[tuple[str, str], list[CodeEntry]] = defaultdict(list)
        for entry in release.entries:
            if ANY in entry.code:
                analyte = entry.code[:_ANALYTE_LETTERS]
                formed[entry.system, "" if ANY in analyte else analyte].append(entry)
            elif entry.system != GROUPS:
                listed[entry.system, entry.code].append(entry)
        self._listed, self._formed = listed, formed
        self.systems = frozenset(system for system, _ in (*listed, *formed))
        self._longest = max((len(entry.code) for entry in release.entries), default=0)
        self._looked_up = lru_cache(_ASKED_MAX)(self._look_up)

    def covers(self, system: str) -> bool:
        """Whether the release says anything of this system: of the others, no code is unknown."""
        return system_of(system) in self.systems

    def known(self, system: str, code: str, at: date) -> bool:
        """Whether the code was in force on that day, in Japan."""
        return any(entry.valid(at) for entry in self._found(system, code))

    def entry(self, system: str, code: str, at: date | None = None) -> CodeEntry | None:
        """What the release says of a code on a day. A code that had ended, or was to begin, still means the same."""
        found = self._found(system, code)
        if at is not None:
            for entry in found:
                if entry.valid(at):
                    return entry
        return found[-1] if found else None

    def group_of(self, codings: Sequence[Coding], at: date | None = None) -> str | None:
        """The group of a result measured on that day; the national lists' word counts first, then the order sent.

        A facility's own code says nothing here: all facilities have one system for theirs.
        """
        for coding in sorted(codings, key=lambda one: last_name(one.system) not in NATIONAL):
            entry = self.entry(coding.system, coding.code, at)
            if entry is not None and entry.group is not None:
                return entry.group
        return None

    def groups_asked(self, codes: Iterable[str]) -> list[str]:
        """The groups meant by *codes*: ids of groups, "system|code", "code".

        A group's id comes first. A code alone is looked for in the national lists, and then in the others.
        """
        return sorted({group for asked in codes for group in self._groups_meant(asked)})

    def _groups_meant(self, asked: str) -> set[str]:
        if asked in self.groups:
            return {asked}
        system, bar, code = asked.rpartition("|")
        national = [one for one in self.systems if last_name(one) in NATIONAL]
        for systems in ([system],) if bar else (national, self.systems):
            entries = [entry for one in systems for entry in self._found(one, code)]
            if meant := {entry.group for entry in entries if entry.group is not None}:
                return meant
        return set()

    def _found(self, system: str, code: str) -> tuple[CodeEntry, ...]:
        """The entries that speak for a code, the earliest first: those that list it, else those of its closest form."""
        known = system_of(system)
        if known not in self.systems or len(code) > self._longest:  # nor is anybody's text kept at hand
            return ()
        return self._looked_up(known, code)

    def _look_up(self, system: str, code: str) -> tuple[CodeEntry, ...]:
        if listed := self._listed.get((system, code)):
            return tuple(sorted(listed, key=_begins))
        formed = [
            entry
            for analyte in (code[:_ANALYTE_LETTERS], "")
            for entry in self._formed.get((system, analyte), ())
            if entry.speaks_of(code)
        ]
        closest = max((entry.fixed for entry in formed), default=0)
        return tuple(sorted((entry for entry in formed if entry.fixed == closest), key=_begins))


def _begins(entry: CodeEntry) -> date:
    return entry.valid_from or date.min
