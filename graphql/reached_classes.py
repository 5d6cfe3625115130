"""Which classes an operation may show, whatever is decided: what the trail says was asked for, known in advance."""

from collections.abc import Iterable, Mapping
from typing import Any

from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, RESULT_CLASSES, DocumentKind, RecordClass
from tsuzuri.graphql.selected_fields import SelectedField

_ALL = frozenset(RecordClass)
_DOCUMENTS = frozenset(DOCUMENT_CLASSES.values())
_ALLERGIES = frozenset({RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY})
_REFERRAL = frozenset({RecordClass.REFERRAL})

REACHED: Mapping[str, frozenset[RecordClass]] = {
    "Summary.conditions": frozenset({RecordClass.CONDITION}),
    "Summary.conditionGroups": frozenset({RecordClass.CONDITION}),
    "Summary.drugAllergies": frozenset({RecordClass.DRUG_ALLERGY}),
    "Summary.otherAllergies": frozenset({RecordClass.OTHER_ALLERGY}),
    "Summary.allergyGroups": _ALLERGIES,
    "Summary.infections": frozenset({RecordClass.INFECTION}),
    "Summary.labResults": frozenset({RecordClass.LAB_RESULT}),
    "Summary.prescriptions": frozenset({RecordClass.PRESCRIPTION}),
    "PatientRecord.entries": _ALL,
    "PatientRecord.timeline": _ALL,
    "PatientRecord.entry": _ALL,
    "PatientRecord.changedSince": _ALL,
    "PatientRecord.present": _ALL,
    "PatientRecord.documents": _DOCUMENTS,
    "PatientRecord.document": _DOCUMENTS,
    "PatientRecord.lastCheckup": frozenset({RecordClass.CHECKUP_REPORT}),
    "PatientRecord.labSeries": frozenset(RESULT_CLASSES),
    "Entry.document": _DOCUMENTS,
    "Document.html": _ALL,
    "Document.entries": _ALL,
    "Query.node": _ALL,
    "Query.referralInbox": _REFERRAL,
    "Query.referralOutbox": _REFERRAL,
    "Me.referrals": _REFERRAL,
    "Replay.content": _ALL,
}
"""A filter that names classes or kinds in the document itself reaches those alone."""


def reached_classes(fields: Iterable[SelectedField]) -> frozenset[RecordClass]:
    return frozenset().union(*(_reached(one) for field in fields for one in field.and_below()))


def _reached(field: SelectedField) -> frozenset[RecordClass]:
    reached = REACHED.get(field.path, frozenset())
    wanted = field.arguments.get("filter")
    if isinstance(wanted, Mapping):
        classes, kinds = _named(wanted, "classes"), _named(wanted, "kinds")
        if classes is not None:
            reached &= {RecordClass(name) for name in classes}
        if kinds is not None:
            reached &= {
                DOCUMENT_CLASSES[kind] for kind in map(DocumentKind, kinds) if kind in DOCUMENT_CLASSES
            }
    return reached


def _named(wanted: Mapping[str, Any], what: str) -> list[str] | None:
    """None: a variable says which, or nothing is left out."""
    value = wanted.get(what)
    written = value if isinstance(value, list) else [value]
    named = [name for name in written if isinstance(name, str)]
    return named if len(named) == len(written) else None
