"""The summary of a patient as the rules' text has it: what was sent and taken back, folded a second time.

Each rule can be turned off, so that a comparison can be seen to need it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from oracle.received import HIDING, JAPAN, Bundle, Fact, Json, read

CLASSES = {
    "conditions": "CONDITION",
    "drugAllergies": "DRUG_ALLERGY",
    "otherAllergies": "OTHER_ALLERGY",
    "infections": "INFECTION",
    "labResults": "LAB_RESULT",
    "prescriptions": "PRESCRIPTION",
}
SETS = {"CONDITION": "CONDITIONS", "DRUG_ALLERGY": "ALLERGIES", "OTHER_ALLERGY": "ALLERGIES"}
"""Classes of which a facility sends all there is, and the kind of Bundle it sends them in."""
Key = tuple[str, str, str, str]
"""Under which a facility replaces and takes back: its number, the identifier's system and value, the kind."""


@dataclass(frozen=True)
class Sent:
    facility: str
    body: bytes
    at: datetime  # when it arrived


@dataclass(frozen=True)
class Cancelled:
    key: Key


@dataclass(frozen=True)
class Restored:
    key: Key


Act = Sent | Cancelled | Restored


def key_of(sent: Sent) -> Key:
    bundle = read(sent.body, sent.facility)
    return sent.facility, bundle.system, bundle.value, bundle.kind


@dataclass(frozen=True)
class Rules:
    sets: bool = True  # the newest set of a facility ends what it does not name
    said: bool = True  # the newest by Bundle.timestamp; else by arrival
    marks: bool = True  # a mark hides the fact in other Bundles too
    periods: bool = True  # what is too old is not seen
    last: int = 3  # results of one analyte, orders of one drug
    extraction: bool = True  # documents give what is of the 5情報 out of them


@dataclass(frozen=True)
class Line:
    """One entry of the summary: as GraphQL tells it, and the Bundle it came in."""

    key: Key
    moment: datetime | None
    told: Json
    instead: tuple["Line", ...] = ()  # which of the same moment may stand here: one moment's are in no order


@dataclass(frozen=True)
class Version:
    key: Key
    bundle: Bundle
    at: datetime

    def newness(self, rules: Rules) -> tuple[datetime, str]:
        return (self.bundle.timestamp, self.bundle.value) if rules.said else (self.at, "")


@dataclass
class Record:
    """What one patient's facilities have sent, as it stands."""

    rules: Rules
    standing: dict[Key, Version] = field(default_factory=dict)
    cancelled: set[Key] = field(default_factory=set)
    accepted: list[Version] = field(default_factory=list)
    bodies: defaultdict[Key, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def take(self, act: Act) -> None:
        match act:
            case Cancelled(key):
                self.cancelled.add(key)
            case Restored(key):
                self.cancelled.discard(key)
            case Sent(facility, body, at):
                bundle, key = read(body, facility), key_of(act)
                if body in self.bodies[key]:
                    return  # unchanged, or superseded long since
                version = Version(key, bundle, at)
                self.bodies[key].append(body)
                self.accepted.append(version)
                self.standing[key] = version
                self.cancelled.discard(key)

    def in_force(self) -> Iterator[tuple[Version, Fact]]:
        standing = [version for key, version in self.standing.items() if key not in self.cancelled]
        newest: dict[tuple[str, str], Version] = {}
        for version in sorted(standing, key=lambda one: one.newness(self.rules)):
            newest[version.key[0], version.bundle.kind] = version
        for version in standing:
            for fact in version.bundle.facts:
                if version.key[3] in DOCUMENT_KINDS and not self.rules.extraction:
                    continue
                kind = SETS.get(fact.record_class)
                current = newest.get((version.key[0], kind)) if kind and self.rules.sets else None
                if current is None or current.newness(self.rules) <= version.newness(self.rules):
                    yield version, fact

    def marks(self, version: Version, fact: Fact) -> tuple[tuple[str, ...], datetime | None]:
        """The flags the fact has by now, and when the newest of those words about it was written."""
        flags, times = set(fact.flags), [fact.updated] if fact.flags else []
        for other in self.accepted if self.rules.marks and fact.instance else ():
            # Of its own versions the one sent last counts: if that has no mark, she has been told.
            replaced = other.key == version.key and other is not version
            newer = other.bundle.timestamp >= version.bundle.timestamp
            if replaced or not newer or other.key[0] != version.key[0]:
                continue
            for said in other.bundle.facts:
                hides = set(said.flags) & set(HIDING)
                if (said.record_class, said.instance) == (fact.record_class, fact.instance) and hides:
                    flags |= hides
                    times.append(said.updated)
        ordered = tuple(flag for flag in ("LTS", *HIDING) if flag in flags)
        return ordered, max((time for time in times if time), default=None)


DOCUMENT_KINDS = ("REFERRAL", "DISCHARGE_SUMMARY", "CHECKUP_REPORT", "PATIENT_SUMMARY")


def summary(
    acts: Sequence[Act], *, herself: bool, now: datetime, rules: Rules | None = None
) -> dict[str, list[Line]]:
    """What GraphQL's `summary` must hold, in no order.

    *herself*: as the patient sees it; else as a clinician does who may see all classes.
    """
    record = Record(rules or Rules())
    for act in acts:
        record.take(act)
    ranked: defaultdict[tuple[str, str], list[tuple[Version, Fact]]] = defaultdict(list)
    for one in record.in_force():
        ranked[one[1].record_class, one[1].measures].append(one)
    shown: dict[str, list[Line]] = {name: [] for name in CLASSES}
    names = {record_class: name for name, record_class in CLASSES.items()}
    hidden = set(HIDING if herself else ("UNDELIVERED",))
    for (record_class, _), group in ranked.items():
        group.sort(key=_newest_first, reverse=True)
        counted = group[: record.rules.last]
        for place, (version, fact) in enumerate(group):
            line, flags = _line(record, version, fact)
            if hidden & set(flags) or not _current(
                record.rules, record_class, place, version, fact, flags, now
            ):
                continue
            left = group[len(counted) :] if place < len(counted) else ()
            instead = tuple(_line(record, *other)[0] for other in left if other[1].moment == fact.moment)
            shown[names[record_class]].append(replace(line, instead=instead))
    return shown


def _line(record: Record, version: Version, fact: Fact) -> tuple[Line, tuple[str, ...]]:
    flags, flagged_at = record.marks(version, fact)
    return Line(version.key, fact.moment, {**fact.told, "flags": list(flags), "flaggedAt": flagged_at}), flags


def _newest_first(one: tuple[Version, Fact]) -> tuple[bool, datetime | None, datetime, str, str]:
    version, fact = one
    known = fact.moment is not None
    return known, fact.moment or version.at, version.bundle.timestamp, version.bundle.value, fact.instance


def _current(
    rules: Rules,
    record_class: str,
    place: int,
    version: Version,
    fact: Fact,
    flags: Sequence[str],
    now: datetime,
) -> bool:
    if record_class in ("INFECTION", "LAB_RESULT"):
        return place < rules.last
    if "LTS" in flags or not rules.periods:
        return True
    if record_class == "PRESCRIPTION":
        return place < rules.last or now < (fact.moment or version.at) + timedelta(days=100)
    return now < _years_after(version.at, 5)


def _years_after(at: datetime, years: int) -> datetime:
    local = at.astimezone(JAPAN)
    return local.replace(year=local.year + years)
