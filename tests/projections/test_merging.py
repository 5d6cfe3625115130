"""What a fold left is in the tables as it was in memory, whatever characters it holds."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.errors import CharacterNotInRepertoire

from projection_examples import live_rows
from tsuzuri.projections.audit_trail import AccessRow
from tsuzuri.projections.merging import merge
from tsuzuri.projections.rows import Changes

SCHEMA = "audit_trail_g1"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    '",{}[]\\\n\r\t\b\f\x0b\x7fnu0null. 院', max_size=8
)
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
ROWS = st.lists(
    st.builds(
        AccessRow,
        owner_id=st.uuids(),
        access=st.uuids(),
        part=st.integers(0, 63),
        pos=st.integers(1, 2**63 - 1),
        at=MOMENTS,
        outcome=TEXT,
        patient_id=st.none() | st.uuids(),
        person=TEXT,
        role=TEXT,
        facility=st.none() | TEXT,
        purpose=TEXT,
        bases=st.lists(TEXT, max_size=3),
        classes_asked=st.lists(TEXT, max_size=3),
        because=st.lists(st.uuids(), max_size=2),
        reason=st.none() | TEXT,
        incomplete=st.booleans(),
        operation_name=st.none() | TEXT,
        operation_sha256=TEXT,
        session=st.none() | TEXT,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row.access,
)


@given(added=ROWS, put=ROWS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_back_as_they_went(
    connection: Connection[Any], added: list[AccessRow], put: list[AccessRow]
) -> None:
    by_access = {row.access: row for row in (*added, *put)}
    connection.execute("TRUNCATE audit_trail_g1.access")

    with connection.transaction():
        merge(connection, SCHEMA, {AccessRow: Changes([], [], list(added), list(put))})

    assert live_rows(connection, "audit_trail", AccessRow) == sorted(
        by_access.values(), key=lambda row: row.access
    )


def test_what_no_table_can_hold_is_refused_and_not_cut_off(connection: Connection[Any]) -> None:
    row = AccessRow(
        owner_id=UUID(int=1),
        access=UUID(int=2),
        part=0,
        pos=1,
        at=datetime(2026, 11, 22, tzinfo=UTC),
        outcome="REFUSED",
        patient_id=None,
        person="\0",
        role="",
        facility=None,
        purpose="",
        operation_name=None,
        operation_sha256="",
        session=None,
    )

    with pytest.raises(CharacterNotInRepertoire), connection.transaction():
        merge(connection, SCHEMA, {AccessRow: Changes([], [], [row], [])})

    assert live_rows(connection, "audit_trail", AccessRow) == []
