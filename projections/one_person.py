"""What patients who are one person mean for each other's entries: each is folded by herself, and read together.

A set of diagnoses or allergies that a facility sent under one number ends what it said under another, and a mark it set
under one hides the same fact under another. Rows know nothing of it, so it is asked for when they are read.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from tsuzuri.domain.vocabulary import REPLACEMENT_SETS, Flag
from tsuzuri.projections.sql import SQL, Composed, Identifier, Literal


def not_ended_by_each_other(patients: Sequence[UUID], schema: str) -> Composed:
    """No newer set of the same facility was sent under another of these patients. Of rows that are in force now."""
    kinds = [(kind, record_class) for kind, classes in REPLACEMENT_SETS.items() for record_class in classes]
    return SQL(
        "NOT EXISTS (SELECT FROM {} AS s JOIN (VALUES {}) AS k (kind, record_class) USING (kind)"
        " WHERE s.patient_id = ANY ({}) AND s.patient_id <> entry.patient_id AND s.facility = entry.sender"
        " AND s.scope = entry.scope AND k.record_class = entry.record_class AND s.timestamp > entry.stated_at)"
    ).format(
        Identifier(schema, "replacement_set"),
        SQL(", ").join(
            SQL("({}, {})").format(Literal(str(kind)), Literal(str(record_class)))
            for kind, record_class in kinds
        ),
        Literal(list(patients)),
    )


def not_hidden_by_each_other(patients: Sequence[UUID], shown: Collection[Flag], schema: str) -> Composed:
    """No mark beside those *shown* was set on the same fact by the same facility under another of these patients."""
    return SQL(
        "NOT EXISTS (SELECT FROM {} AS m WHERE m.patient_id = ANY ({}) AND m.patient_id <> entry.patient_id"
        " AND m.sender = entry.sender AND m.fact = entry.fact AND m.timestamp >= entry.stated_at"
        " AND NOT m.marks <@ {}::text[])"
    ).format(
        Identifier(schema, "hiding_mark"),
        Literal(list(patients)),
        Literal(sorted(str(flag) for flag in shown)),
    )
