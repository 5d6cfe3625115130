"""/metrics in Prometheus' own words, and nothing of any patient in it."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from psycopg import Connection

from log_examples import an_owner, listed, opened_log, save
from projection_examples import an_engine, catch_up
from tsuzuri.app.metrics import metrics
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.standings import standings


def read(connection: Connection[Any]) -> dict[str, dict[str, float]]:
    """Metric → projection → value, as Prometheus reads it."""
    told = metrics(standings(connection)).decode()
    return {
        family.name: {sample.labels["projection"]: sample.value for sample in family.samples}
        for family in text_string_to_metric_families(told)
    }


def test_lag_quarantine_and_rebuilds_are_told_for_each_projection(
    dsn: str, connection: Connection[Any]
) -> None:
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1)), listed(an_owner(2), facility="1399999999"))
    before = read(connection)
    connection.execute("UPDATE event SET state = 'broken' WHERE patient_id = %s", (an_owner(2),))
    catch_up(connection)
    rebuild(connection, an_engine(), PROJECTIONS["facilities"], promote_if_equal=False)

    after = read(connection)

    assert set(before["tsuzuri_projection_lag_events"]) == set(PROJECTIONS)
    assert set(before["tsuzuri_projection_lag_events"].values()) == {2.0}
    assert set(after["tsuzuri_projection_lag_events"].values()) == {0.0}
    assert after["tsuzuri_projection_quarantined_patients"]["facilities"] == 1.0
    assert (
        after["tsuzuri_rebuild_done_events"] == after["tsuzuri_rebuild_total_events"] == {"facilities": 2.0}
    )
