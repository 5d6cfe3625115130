"""Everything that one sight shows of a record, as one number, which changes when that does and at no other time.

What is hidden does not enter into it, so that its coming and going leaves it as it was.
"""

from tsuzuri.projections.record_index import CHECKUP_DATES, DOCUMENTS, ENTRIES
from tsuzuri.projections.sight import Sight
from tsuzuri.projections.sql import SQL, Composed, Identifier
from tsuzuri.projections.view import View

# What tells one version of a row from another, and what of it changes while its version stays.
_ENTRY = SQL("patient_id, entry, from_pos, flags_now, flagged_at")
_DOCUMENT = SQL("patient_id, document, from_pos")


def seen(sight: Sight, schema: str) -> Composed:
    """A statement whose one row is one bigint, `seen`. *schema*: of the sight's generation of the record index."""
    shown = [
        _all(ENTRIES, _ENTRY, schema, sight.predicate(history=True, facts=True, schema=schema)),
        _all(DOCUMENTS, _DOCUMENT, schema, sight.predicate(history=True)),
    ]
    if any(ground.emergency_table for ground in sight.grounds):
        shown.append(_newest_date(schema, sight.predicate(history=True, dates=True)))
    return SQL("SELECT {} AS seen").format(SQL(" # ").join(shown))


def _all(view: View, version: Composed, schema: str, predicate: Composed) -> Composed:
    """In any order, so that none has to be made."""
    return SQL("(SELECT coalesce(bit_xor(hash_record_extended(ROW({}), 0)), 0) FROM {} WHERE {})").format(
        version, Identifier(schema, view.table), predicate
    )


def _newest_date(schema: str, predicate: Composed) -> Composed:
    """All that the first step of an emergency shows of check-ups."""
    order = SQL(", ").join(SQL("{} DESC").format(Identifier(column)) for column in CHECKUP_DATES.order)
    return SQL(
        "coalesce((SELECT hash_record_extended(ROW(dated, timestamp), 0) FROM {} WHERE {} ORDER BY {} LIMIT 1), 0)"
    ).format(Identifier(schema, CHECKUP_DATES.table), predicate, order)
