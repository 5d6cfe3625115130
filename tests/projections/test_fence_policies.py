"""What the database itself shows the reader's role of a table, by what the statement says it may see."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Composable, Identifier, Literal

from examples import CLINIC, HOSPITAL, NOON, PATIENT, STRANGER
from policy_examples import AN_HOUR
from sight_examples import a_ground, a_patient
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.vocabulary import Flag, RecordClass
from tsuzuri.projections import fences

LETTER = a_patient(50)
Database = Connection[Any]
Shown = Callable[[Composable], set[str]]

ROWS: dict[str, dict[str, Any]] = {
    "plain": {},
    "untold": {"flags": ["UNINFORMED", "LTS"]},
    "not given out": {"flags": ["UNDELIVERED"]},
    "a result": {"record_class": "LAB_RESULT"},
    "from the hospital": {"sender": HOSPITAL},
    "to the clinic": {"recipient": CLINIC, "recipient_until": NOON + AN_HOUR},
    "to the hospital": {"recipient": HOSPITAL, "recipient_until": NOON + AN_HOUR},
    "the letter": {"recipient": HOSPITAL, "document": LETTER, "recipient_until": NOON + AN_HOUR},
    "over": {"recipient": HOSPITAL, "document": LETTER, "recipient_until": NOON},
    "somebody's": {"patient_id": STRANGER},
}
LETTERS = {"to the hospital", "the letter"}
ORDINARY = set(ROWS) - {"not given out", "a result", "somebody's"}


@pytest.fixture
def fenced(connection: Database) -> Callable[[str, str, str], Shown]:
    """A table with those rows behind a fence, and what the reader's role is shown of it."""

    def make(fence: str, flags: str, sender: str) -> Shown:
        connection.execute("CREATE SCHEMA fenced")
        connection.execute("SET search_path = fenced")
        connection.execute(
            SQL("""CREATE TABLE row (name text, patient_id uuid, record_class text, {} text[], {} text,
                   recipient text, recipient_until timestamptz, document uuid)""").format(
                Identifier(flags), Identifier(sender)
            )
        )
        for name, changes in ROWS.items():
            usual = {
                "name": name,
                "patient_id": PATIENT,
                "record_class": "CONDITION",
                "flags": [],
                "sender": CLINIC,
                "recipient": None,
                "recipient_until": None,
                "document": None,
            }
            values = [Literal(value) for value in (usual | changes).values()]
            connection.execute(SQL("INSERT INTO row VALUES ({})").format(SQL(", ").join(values)))
        connection.execute(fence.encode())
        connection.execute("GRANT USAGE ON SCHEMA fenced TO tsuzuri_reader")
        connection.execute("GRANT SELECT ON row TO tsuzuri_reader")
        connection.execute("SET ROLE tsuzuri_reader")

        def shown(where: Composable) -> set[str]:
            rows = connection.execute(SQL("SELECT name FROM row WHERE {}").format(where)).fetchall()
            return {name for (name,) in rows}

        return shown

    return make


def on(*grounds: Ground, patients: tuple[UUID, ...] = (PATIENT,)) -> Composable:
    return fences.SEES.bound(fences.what_sees(patients, grounds, NOON))


CONDITIONS = a_ground(classes=(RecordClass.CONDITION,))


@pytest.mark.parametrize(
    ("fence", "flags", "sender", "letters"),
    [
        (fences.of_entries, "flags_now", "sender", LETTERS),
        (fences.of_documents, "flags_now", "facility", LETTERS | {"over"}),
        (fences.of_groups, "flags", "sender", set()),
    ],
    ids=["entries", "documents", "groups"],
)
def test_a_row_is_shown_when_one_ground_covers_it(
    fenced: Callable[[str, str, str], Shown],
    fence: Callable[[str], str],
    flags: str,
    sender: str,
    letters: set[str],
) -> None:
    shown = fenced(fence("row"), flags, sender)
    letter = {name for name in letters if ROWS[name].get("document") == LETTER}

    assert shown(SQL("true")) == set()
    assert shown(on()) == set()
    assert shown(on(CONDITIONS)) == ORDINARY
    assert shown(on(a_ground(classes=(RecordClass.LAB_RESULT,)))) == {"a result"}
    assert shown(on(a_ground(flags=(Flag.UNINFORMED,)))) == (ORDINARY | {"a result"}) - {"untold"}
    assert shown(on(a_ground(sender=HOSPITAL))) == {"from the hospital"}
    assert shown(on(a_ground(recipient=HOSPITAL))) == letters
    assert shown(on(a_ground(recipient=HOSPITAL, document=LETTER))) == letter
    assert shown(on(a_ground(sender=HOSPITAL), CONDITIONS)) == ORDINARY
    assert shown(on(CONDITIONS, patients=(PATIENT, STRANGER))) == ORDINARY | {"somebody's"}
    assert shown(fences.sees_whole([PATIENT])) == set(ROWS) - {"somebody's"}
    assert shown(SQL("true")) == set()


def test_of_a_table_that_is_a_patient_s_all_of_hers_is_shown(
    fenced: Callable[[str, str, str], Shown],
) -> None:
    shown = fenced(fences.of_patients("row"), "flags", "sender")

    assert shown(SQL("true")) == set()
    assert shown(on(CONDITIONS)) == set(ROWS) - {"somebody's"}
    assert shown(fences.sees_whole([STRANGER])) == {"somebody's"}


def test_where_referrals_stand_is_shown_by_patient_by_sender_or_by_recipient(
    fenced: Callable[[str, str, str], Shown],
) -> None:
    shown = fenced(fences.of_referrals("row"), "flags", "sender")

    assert shown(SQL("true")) == set()
    assert shown(fences.sees_whole([PATIENT])) == set()
    assert shown(fences.sees_referrals()) == set()
    assert shown(fences.sees_referrals(patients=[STRANGER])) == {"somebody's"}
    assert shown(fences.sees_referrals(sender=HOSPITAL)) == {"from the hospital"}
    assert shown(fences.sees_referrals(recipient=HOSPITAL)) == LETTERS | {"over"}


def test_a_condition_of_rows_may_be_narrowed_further(connection: Database) -> None:
    connection.execute("CREATE TEMP TABLE row AS SELECT 'a' AS name, %s::uuid AS patient_id", (PATIENT,))
    statement = SQL("SELECT name FROM row WHERE {} AND {}")

    def found(more: str) -> list[Any]:
        where = SQL(fences.within("row", more))
        return connection.execute(statement.format(fences.sees_whole([PATIENT]), where)).fetchall()

    assert found("") == [("a",)]
    assert found(" AND NOT seen.whole") == []
