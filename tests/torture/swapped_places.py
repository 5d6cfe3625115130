"""Every place that takes an id, a cursor or a position: what it takes, what it tells, and how it is asked."""

from dataclasses import dataclass
from enum import Enum, auto

PAGE = 7  # nodes


class Whose(Enum):
    """To whom a text that was given out belongs: where it may be taken again."""

    PATIENT = auto()  # whoever reads her
    FACILITY = auto()  # its staff
    ALL = auto()
    CALLER = auto()
    OWN = auto()  # this caller, of this patient


@dataclass(frozen=True)
class Kind:
    """A kind of text, such as the cursors of one list."""

    name: str
    whose: Whose


@dataclass(frozen=True)
class Place:
    """One argument. Its document says `$given` where the text goes, and `id` or `present` to what it tells."""

    name: str
    document: str
    takes: Kind
    tells: Kind
    is_list: bool = False  # without `$given` it begins


def _asked(inside: str, kind: str) -> str:
    declared = {
        "$patient": "PatientKey!",
        "$purpose": "PurposeOfUse!",
        "$since": "String!",
        "$her": "ID",
        "$given": kind,
    }
    used = ", ".join(f"{name}: {type}" for name, type in declared.items() if name in inside)
    return f"query Swapped({used}) {{ {inside} }}"


def _of_record(inside: str, more: str = "") -> str:
    return f"""patientRecord(patient: $patient, purpose: $purpose{more}) {{ __typename
      ... on AccessRefused {{ reason }} ... on PatientRecord {{ {inside} }} }}"""


def _nodes(node: str = "id") -> str:
    return f"{{ edges {{ cursor node {{ {node} }} }} pageInfo {{ startCursor endCursor hasNextPage }} }}"


_EITHER = "... on Entry { id } ... on Document { id }"
_ENTRY, _DOCUMENT, ITEM = Kind("entry", Whose.OWN), Kind("document", Whose.OWN), Kind("item", Whose.OWN)
_CHANGE, POSITION = Kind("change", Whose.OWN), Kind("position", Whose.PATIENT)
_LISTS = {
    ("PatientRecord.entries", Whose.PATIENT): (_of_record(f"entries(PAGE) {_nodes()}"), _ENTRY),
    ("PatientRecord.documents", Whose.PATIENT): (_of_record(f"documents(PAGE) {_nodes()}"), _DOCUMENT),
    ("PatientRecord.timeline", Whose.PATIENT): (_of_record(f"timeline(PAGE) {_nodes(_EITHER)}"), ITEM),
    ("PatientRecord.changedSince", Whose.PATIENT): (
        _of_record(f"changedSince(position: $since, PAGE) {_nodes()}"),
        _CHANGE,
    ),
    **{
        (f"Me.{name}", Whose.PATIENT): (
            f"me(patient: $her) {{ {name}(PAGE) {_nodes()} }}",
            Kind(f"own {name}", Whose.OWN),
        )
        for name in ("accesses", "referrals", "correctionRequests")
    },
    **{
        (f"Query.{name}", whose): (f"{name}(PAGE) {_nodes()}", Kind(name, Whose.CALLER))
        for name, whose in {
            "referralInbox": Whose.FACILITY,
            "referralOutbox": Whose.FACILITY,
            "correctionRequests": Whose.FACILITY,
            "accessReviews": Whose.FACILITY,
            "overdueCorrections": Whose.ALL,
            "unmatchedIdentities": Whose.ALL,
            "accessTrail": Whose.ALL,
        }.items()
    },
    ("Query.facilities", Whose.ALL): (
        f"facilities(PAGE) {_nodes('id: number')}",
        Kind("facilities", Whose.CALLER),
    ),
}


def _pages() -> list[Place]:
    found = []
    for (name, whose), (inside, tells) in _LISTS.items():
        takes = Kind(f"{name} cursor", whose)
        for way, size in (("after", "first"), ("before", "last")):
            document = _asked(inside.replace("PAGE", f"{size}: {PAGE}, {way}: $given"), "String")
            found.append(Place(f"{name}({way})", document, takes, tells, is_list=True))
    return found


def _one(name: str, inside: str, takes: Kind, tells: Kind | None = None, kind: str = "ID!") -> Place:
    return Place(name, _asked(inside, kind), takes, tells or takes)


NODE, PATIENT, ME = Kind("node", Whose.CALLER), Kind("patient", Whose.CALLER), Kind("me", Whose.CALLER)
_ACCESS = Kind("accessTrail", Whose.CALLER)
PLACES: tuple[Place, ...] = (
    *_pages(),
    _one("Query.node(id)", "node(id: $given, purpose: $purpose) { __typename id: nodeId }", NODE),
    _one("Query.access(id)", "access(id: $given) { id }", _ACCESS),
    _one("PatientRecord.entry(id)", _of_record("entry(id: $given) { id }"), _ENTRY),
    _one("PatientRecord.document(id)", _of_record("document(id: $given) { id }"), _DOCUMENT),
    _one("PatientRecord.present(ids)", _of_record("present(ids: [$given])"), ITEM),
    _one(
        "PatientKey.id",
        _of_record("patient { id }").replace("patient: $patient", "patient: { id: $given }"),
        PATIENT,
    ),
    _one("Query.me(patient)", "me(patient: $given) { record { patient { id } } }", ME),
    _one(
        "AsOf.position",
        _of_record(f"entries(first: {PAGE}) {_nodes()}", ", asOf: { position: $given }"),
        POSITION,
        _ENTRY,
        "String!",
    ),
    _one(
        "Query.patientRecord(minPosition)",
        _of_record(f"entries(first: {PAGE}) {_nodes()}", ", minPosition: $given"),
        POSITION,
        _ENTRY,
        "String!",
    ),
    _one(
        "PatientRecord.changedSince(position)",
        _of_record(f"changedSince(position: $given, first: {PAGE}) {_nodes()}"),
        POSITION,
        _CHANGE,
        "String!",
    ),
)
OWN = _asked(
    _of_record("""asOf { position } patient { id nodeId } documents(first: 200) { nodes { id nodeId } }
      entries(first: 1000) { nodes { id nodeId facility { nodeId } } }"""),
    "",
)
"""What a reader is told of a record by itself."""
FACILITIES = "{ facilities(first: 200) { nodes { nodeId } } }"
RECORD_CHANGED = Place(
    "Subscription.recordChanged(after)",
    """subscription Swapped($patient: PatientKey!, $purpose: PurposeOfUse!, $given: String) {
      recordChanged(patient: $patient, purpose: $purpose, after: $given) {
        __typename ... on AccessRefused { reason } ... on RecordChanged { position } } }""",
    POSITION,
    _CHANGE,
)
ACCESSED = Place(
    "Subscription.accessed(after)",
    """subscription Swapped($her: ID, $given: String) { accessed(patient: $her, after: $given) {
      __typename ... on AccessRefused { reason } ... on NewAccess { position access { id } } } }""",
    Kind("accessed position", Whose.PATIENT),
    Kind("own accesses", Whose.OWN),
)
WATCHED = (RECORD_CHANGED, ACCESSED)
"""They go on: so they are given only what must be refused. Without a projector `accessed` gives nothing out."""
