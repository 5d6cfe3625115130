"""A projection whose rows change must say so: its VERSION is tied to what its tables and rows look like."""

import os
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection, DatabaseError

from examples import CLINIC, EVENT
from log_examples import begin_append
from projection_examples import an_engine
from tsuzuri.domain.events import FacilityListed, originator
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.engine import ProjectionOutdated
from tsuzuri.projections.generations import UnknownGeneration, live_generation, promote, rebuild

GOLDEN = Path(__file__).with_name("golden_versions.txt")


def digest(projection: Projection) -> str:
    rows = [f"{kind.TABLE} {kind.KEY} {[(f.name, f.type) for f in fields(kind)]}" for kind in projection.rows]
    return sha256("\n".join([projection.tables, *rows]).encode()).hexdigest()[:16]


def test_changed_rows_have_a_new_version() -> None:
    """When this fails: raise VERSION in the projection's file, then write the golden file anew."""
    now = "".join(f"{p.name} {p.version} {digest(p)}\n" for p in PROJECTIONS.values())
    if os.environ.get("TSUZURI_WRITE_GOLDEN"):
        GOLDEN.write_text(now, "utf-8")

    assert now == GOLDEN.read_text("utf-8")


def test_after_a_change_of_code_a_rebuild_takes_over(connection: Connection[Any]) -> None:
    engine, index = an_engine(), PROJECTIONS["record_index"]
    save_facility(connection)
    connection.execute("UPDATE projection_generation SET version = 0 WHERE name = 'record_index'")
    with pytest.raises(ProjectionOutdated, match="run: tsuzuri projections rebuild record_index"):
        engine.step(connection, index, 1)

    rebuilt = rebuild(connection, engine, index)

    assert (rebuilt.generation, rebuilt.comparison, rebuilt.promoted) == (2, None, True)
    assert live_generation(connection, "record_index") == 2
    assert engine.step(connection, index, 2).lag_events == 0


def test_a_rebuild_that_fails_leaves_no_generation_behind(connection: Connection[Any]) -> None:
    engine, facilities = an_engine(), PROJECTIONS["facilities"]
    save_facility(connection)
    broken = replace(
        facilities, tables=facilities.tables.replace("name text NOT NULL", "name boolean NOT NULL")
    )

    with pytest.raises(DatabaseError):
        rebuild(connection, engine, broken)

    found = connection.execute(
        "SELECT generation FROM projection_generation WHERE name = 'facilities'"
    ).fetchall()
    assert found == [(1,)]
    assert connection.execute("SELECT to_regnamespace('facilities_g2')").fetchone() == (None,)


def save_facility(connection: Connection[Any]) -> None:
    """One event in the log, so that there is something to apply."""
    event = FacilityListed(
        originator_id=originator(facility_owner(CLINIC), Stream.RECORD),
        originator_version=1,
        event_id=EVENT,
        facility=CLINIC,
        name="診療所",
        kind="CLINIC",
        recorded_by="operator",
    )
    begin_append(connection, event)


def test_reads_are_not_sent_to_a_generation_that_is_not_there(connection: Connection[Any]) -> None:
    with pytest.raises(UnknownGeneration):
        promote(connection, PROJECTIONS["facilities"], 99)

    assert live_generation(connection, "facilities") == 1
