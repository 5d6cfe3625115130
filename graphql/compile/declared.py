"""What the database itself can write of each type: its columns, the rows these name, and what is worked out of them.

A field that is a column of the type's view needs no line here: how it is written follows from its type in the schema.
A field that is neither is written by its resolver, and so is the list in which it is asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tsuzuri.domain import record
from tsuzuri.domain.accesses import consent_state
from tsuzuri.domain.results import is_abnormal
from tsuzuri.domain.vocabulary import TERMS, AccessBasis, FacilityKind
from tsuzuri.projections import audit_trail, facilities, record_index
from tsuzuri.projections.view import View


@dataclass(frozen=True)
class Link:
    """Another row, by its key in a column."""

    type_name: str
    column: str


@dataclass(frozen=True)
class Worked:
    """A value that is worked out of columns, row by row."""

    columns: tuple[str, ...]
    value: Callable[..., Any]


@dataclass(frozen=True)
class Declared:
    """One type of the schema."""

    view: View
    links: Mapping[str, Link] = field(default_factory=dict)
    worked: Mapping[str, Worked] = field(default_factory=dict)
    without_row: Mapping[str, str] = field(default_factory=dict)
    """What is said of a row that is not there, as JSON; what is not named is null. Empty: there is no object."""


def _abnormal(value: str | None, interpretation: str | None, reference: str | None) -> bool | None:
    return is_abnormal(
        msgspec.json.decode(value, type=record.Value) if value else None,
        interpretation,
        msgspec.json.decode(reference, type=record.ReferenceRange) if reference else None,
    )


_TERMS = {str(record_class): term for record_class, term in TERMS.items()}
_KINDS = frozenset(map(str, FacilityKind))
_BASES = {
    "emergency": Worked(("bases",), lambda bases: AccessBasis.EMERGENCY in bases),
    "disaster": Worked(("bases",), lambda bases: AccessBasis.DISASTER in bases),
}

DECLARED: Mapping[str, Declared] = {
    "Entry": Declared(
        record_index.ENTRIES,
        links={
            "facility": Link("Facility", "facility"),
            "registeredBy": Link("Facility", "sender"),
            "document": Link("Document", "document"),
        },
        worked={
            "abnormal": Worked(("value", "interpretation", "reference_range"), _abnormal),
            "classTerm": Worked(("record_class",), _TERMS.__getitem__),
        },
    ),
    "Document": Declared(
        record_index.DOCUMENTS,
        links={"facility": Link("Facility", "facility"), "recipient": Link("Facility", "recipient")},
    ),
    "Facility": Declared(
        facilities.VIEW,
        worked={"kind": Worked(("kind",), lambda kind: kind if kind in _KINDS else None)},
        without_row={"departments": "[]", "departmentCodes": "[]", "emergency": "false"},
    ),
    "Access": Declared(
        audit_trail.VIEW,
        links={"facility": Link("Facility", "facility")},
        worked=_BASES | {"consentState": Worked(("bases",), consent_state)},
    ),
    "OwnAccess": Declared(audit_trail.VIEW, links={"facility": Link("Facility", "facility")}, worked=_BASES),
}
"""By the name of the type in the schema."""

KEYS = {"Facility": "facility", "Document": "document"}
"""Of a linked row: the column that a link names."""

UNWRITTEN = {("Document", "attachments"), ("Access", "grounds"), ("Access", "shownByClass")}
"""Columns that say other things than the field of their name."""
