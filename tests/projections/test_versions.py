"""A projection whose rows change must say so: its VERSION is tied to what its tables and rows look like."""

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from examples import CLINIC, EVENT
from log_examples import begin_append
from projection_examples import an_engine
from tsuzuri.domain.events import FacilityListed, originator
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.checkpoints import ProjectionOutdated
from tsuzuri.projections.generations import UnknownGeneration, live_generation, promote
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild

GOLDEN = Path(__file__).with_name("golden_versions.txt")


def digest(projection: Projection) -> str:
    rows = [
        f"{kind.TABLE} {kind.KEY} {[(f.name, f.type) for f in msgspec.structs.fields(kind)]}"
        for kind in projection.rows
    ]
    return sha256("\n".join([projection.tables, projection.indexes, *rows]).encode()).hexdigest()[:16]


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


def test_a_rebuild_whose_tables_take_no_row_sets_everybody_aside_and_is_not_promoted(
    connection: Connection[Any],
) -> None:
    engine, facilities = an_engine(), PROJECTIONS["facilities"]
    save_facility(connection)
    engine.catch_up(connection, facilities, 1)
    broken = replace(
        facilities, tables=facilities.tables.replace("name text NOT NULL", "name boolean NOT NULL")
    )

    rebuilt = rebuild(connection, engine, broken)

    assert not rebuilt.promoted
    assert rebuilt.comparison is not None
    assert rebuilt.comparison.differing == [facility_owner(CLINIC)]
    assert [one.step for one in quarantined(connection, "facilities", [2])] == ["merge"]


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
        promote(connection, an_engine(), PROJECTIONS["facilities"], 99)

    assert live_generation(connection, "facilities") == 1
