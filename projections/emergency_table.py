"""救急時の閲覧, first step: which of the entries that the ground's classes hold the emergency table shows.

Allergies and infections: all. Conditions: those that are open. Prescriptions: of three months. Labs: the last three of
each. Of a check-up only its date. Source: the emergency summary's windows (3 months; a check-up's date only).
"""

from collections.abc import Sequence
from datetime import datetime

from tsuzuri.domain.retention import LAST
from tsuzuri.domain.vocabulary import Flag, RecordClass
from tsuzuri.projections.sql import SQL, Composed, Identifier, Literal, Number

WHOLE = (RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY, RecordClass.INFECTION)
CLOSED_STATUSES = ("inactive", "remission", "resolved")
"""Of a condition: FHIR's clinicalStatus that says it is not open."""


def entries_of_table(schema: str, hers: Composed, flags: Sequence[Flag], at: datetime) -> Composed:
    """The condition on rows of `entry`. *hers*: the comparison that a patient's row keeps; *at*: aware."""
    return SQL("({})").format(
        SQL(" OR ").join(
            [
                SQL("record_class = ANY ({}::text[])").format(Literal([str(one) for one in WHOLE])),
                SQL(
                    "record_class = {} AND (ended IS NULL OR ended_at > {})"
                    " AND (status IS NULL OR status <> ALL ({}::text[]))"
                ).format(Literal(RecordClass.CONDITION), Literal(at), Literal(list(CLOSED_STATUSES))),
                SQL("record_class = {} AND sort_at > {} - interval '3 months'").format(
                    Literal(RecordClass.PRESCRIPTION), Literal(at)
                ),
                SQL("record_class = {} AND {}").format(
                    Literal(RecordClass.LAB_RESULT), _among_the_last(schema, hers, flags)
                ),
            ]
        )
    )


CHECKUP_DATES = SQL("record_class = {}").format(Literal(RecordClass.CHECKUP_REPORT))
"""The condition on rows of `document`, where nothing but their date is shown."""


def _among_the_last(schema: str, hers: Composed, flags: Sequence[Flag]) -> Composed:
    """Fewer than `LAST` newer ones of its group that may be seen are in force: what is hidden displaces nothing."""
    return SQL(
        "to_pos IS NULL AND {} > (SELECT count(*) FROM (SELECT FROM {} AS newer"
        " WHERE newer.patient_id {} AND newer.record_class = entry.record_class"
        " AND newer.ranked_as = entry.ranked_as AND newer.to_pos IS NULL AND newer.cancelled_by IS NULL"
        " AND newer.flags_now <@ {}::text[]"
        " AND (newer.sort_at, newer.entry) > (entry.sort_at, entry.entry) LIMIT {}) AS counted)"
    ).format(
        Number(LAST),
        Identifier(schema, "entry"),
        hers,
        Literal([str(flag) for flag in flags]),
        Number(LAST),
    )
