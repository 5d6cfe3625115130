"""The second fence: of a record's rows the database itself shows the reader's role only those a statement may see.

The first is the compiled predicate (sight.py). A statement says in a setting, which ends with it, whose rows it may see
and on which grounds; a row-level security policy on each table of records asks every row. Nothing said: no rows.
The projector owns the tables, so its role is asked nothing. Why so: docs/decisions/0015-row-level-security.md.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.projections.sql import SQL, Composed, Later, Literal

_SIGHT, _REFERRALS, _REQUESTS = "tsuzuri.sight", "tsuzuri.referrals", "tsuzuri.requests"
_PATIENTS, _OPEN = "tsuzuri.patients", "tsuzuri.open"

# A line for each ground. One that is `whole` lets see all there is of its patients.
_LINES = f"""jsonb_to_recordset(nullif(current_setting('{_SIGHT}', true), '')::jsonb) AS seen (
    patients uuid[], whole boolean, classes text[], flags text[], sender text, recipient text, document uuid,
    at timestamptz)"""
_ASKED = f"""jsonb_to_record(nullif(current_setting('{_REFERRALS}', true), '')::jsonb) AS asked (
    patients uuid[], sender text, recipient text)"""


_REQUESTED = f"""jsonb_to_record(nullif(current_setting('{_REQUESTS}', true), '')::jsonb) AS asked (
    patients uuid[], facility text, waiting_since timestamptz)"""


def what_sees(patients: Sequence[UUID], grounds: Sequence[Ground], at: datetime) -> Mapping[Later, str]:
    """What SEES leaves open: it lets its statement see what a ground covers of these patients *at* a moment."""
    lines = [
        {
            "patients": patients,
            "classes": ground.classes,
            "flags": ground.flags,
            "sender": ground.sender,
            "recipient": ground.recipient,
            "document": ground.document,
            "at": at,
        }
        for ground in grounds
    ]
    plain = (ground for ground in grounds if not (ground.sender or ground.recipient or ground.document))
    return _said(patients, lines, {record_class for ground in plain for record_class in ground.classes})


def sees_whole(patients: Sequence[UUID]) -> Composed:
    """A condition that is true, and lets its statement see every row of these patients: to decide by, never to show."""
    return SEES.bound(_said(patients, [{"patients": patients, "whole": True}], ()))


def sees_referrals(
    *, patients: Sequence[UUID] = (), sender: str | None = None, recipient: str | None = None
) -> Composed:
    """A condition that is true, and lets its statement see where referrals stand: of whom, from whom, or to whom."""
    return _says(_REFERRALS, {"patients": patients, "sender": sender, "recipient": recipient})


def sees_requests(
    *, patients: Sequence[UUID] = (), facility: str | None = None, waiting_since: datetime | None = None
) -> Composed:
    """A condition that is true, and lets its statement see what is asked of facilities.

    By these patients; of this facility; or of any, what waits since that moment or longer.
    """
    asked = {"patients": patients, "facility": facility, "waiting_since": waiting_since}
    return _says(_REQUESTS, asked)


def _said(
    patients: Sequence[UUID], lines: Sequence[Mapping[str, Any]], unmarked: Collection[RecordClass]
) -> Mapping[Later, str]:
    """*unmarked*: the classes of which every row without a mark may be seen, by which most rows are settled."""
    return {
        _LINES_SAID: msgspec.json.encode(lines).decode(),
        _PATIENTS_SAID: ",".join([str(patient) for patient in patients]),
        _OPEN_SAID: ",".join(sorted(unmarked)),
    }


_LINES_SAID, _PATIENTS_SAID, _OPEN_SAID = Later(str), Later(str), Later(str)
SEES = SQL(
    f"(SELECT set_config('{_SIGHT}', {{}}, true) || set_config('{_PATIENTS}', {{}}, true)"
    f" || set_config('{_OPEN}', {{}}, true)) IS NOT NULL"
).format(Literal(_LINES_SAID), Literal(_PATIENTS_SAID), Literal(_OPEN_SAID))
"""A condition that is true, and lets its statement see what is said to it: `what_sees`, still left open."""


def _says(setting: str, what: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> Composed:
    """It asks nothing of a row, so it is carried out before any is read; were it not, there would be none.

    Local to the transaction, which a statement of its own is.
    """
    return SQL("(SELECT set_config({}, {}, true)) IS NOT NULL").format(
        Literal(setting), Literal(msgspec.json.encode(what).decode())
    )


def of_entries(table: str) -> str:
    """The fence of a table whose rows are entries. Those of a referral are its recipient's for a time."""
    letters = f"seen.recipient = {table}.recipient AND {table}.recipient_until > seen.at"
    return _of_grounds(table, flags="flags_now", sender="sender", letters=f"({letters})")


def of_documents(table: str) -> str:
    """The fence of a table whose rows are documents."""
    letters = f"seen.recipient = {table}.recipient"
    return _of_grounds(table, flags="flags_now", sender="facility", letters=letters)


def of_groups(table: str) -> str:
    """The fence of a table whose rows do not say of which referral they are: it shows nothing of any."""
    return _of_grounds(table, flags="flags", sender="sender", letters="false")


def of_patients(table: str) -> str:
    """The fence of a table of which a reading may see all that is of its patients."""
    return _policy(table, within(table))


def of_referrals(table: str) -> str:
    """The fence of a table that tells where referrals stand."""
    return _policy(
        table,
        f"""EXISTS (SELECT FROM {_ASKED} WHERE {table}.patient_id = ANY (asked.patients)
    OR {table}.sender = asked.sender OR {table}.recipient = asked.recipient)""",
    )


def of_requests(table: str) -> str:
    """The fence of a table that holds what patients ask of facilities."""
    return _policy(
        table,
        f"""EXISTS (SELECT FROM {_REQUESTED} WHERE {table}.patient_id = ANY (asked.patients)
    OR {table}.facility = asked.facility
    OR {table}.state = 'WAITING' AND {table}.requested_at <= asked.waiting_since)""",
    )


def within(table: str, more: str = "") -> str:
    """The condition that a row is of a patient of the reading, and what more is asked of that."""
    return f"EXISTS (SELECT FROM {_LINES}\n    WHERE {table}.patient_id = ANY (seen.patients){more})"


def _of_grounds(table: str, *, flags: str, sender: str, letters: str) -> str:
    """As domain.access.covers asks: one ground lets see the class and every mark, of this sender and this referral."""
    covered = f"""{table}.record_class = ANY (seen.classes) AND {table}.{flags} <@ seen.flags
    AND (seen.sender IS NULL OR seen.sender = {table}.{sender})
    AND (seen.recipient IS NULL OR {letters})
    AND (seen.document IS NULL OR seen.document = {table}.document)"""
    return _policy(
        table,
        f"""CASE WHEN {table}.patient_id <> ALL ({_listed(_PATIENTS)}::uuid[]) THEN false
    WHEN {table}.{flags} = '{{}}' AND {table}.record_class = ANY ({_listed(_OPEN)}) THEN true
    ELSE {within(table, f" AND (seen.whole OR {covered})")} END""",
    )


def _listed(setting: str) -> str:
    """What a setting lists, read once for a statement; nothing said: an empty list."""
    return f"(SELECT string_to_array(coalesce(current_setting('{setting}', true), ''), ','))::text[]"


def _policy(table: str, condition: str) -> str:
    return f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY fence ON {table} FOR SELECT TO tsuzuri_reader USING (
    {condition});
"""
