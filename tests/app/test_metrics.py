"""/metrics in Prometheus' own words, and nothing of any patient in it; and what /readyz makes of the same."""

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg import Connection

from log_examples import an_owner, listed, opened_log, save
from projection_examples import an_engine, catch_up
from tsuzuri.app import looks
from tsuzuri.app.metrics import metrics
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings
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


def test_readyz_is_red_while_a_projection_is_too_far_behind(
    settings: Settings, dsn: str, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "LOOK_SECONDS", 0.05)
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1)))

    async def answered(client: httpx.AsyncClient, status: int) -> dict[str, Any]:
        async with asyncio.timeout(20):  # an answer may be as old as the last look
            while (answer := await client.get("/readyz")).status_code != status:
                await asyncio.sleep(0.05)
        told: dict[str, Any] = answer.json()
        return told

    async def story() -> None:
        server = build_server(settings, dsn)
        transport = httpx.ASGITransport(server)
        async with (
            server.router.lifespan_context(server),
            httpx.AsyncClient(transport=transport, base_url="http://tsuzuri") as client,
        ):
            fresh = await answered(client, 200)
            connection.execute("UPDATE event SET recorded_at = recorded_at - interval '31 seconds'")
            red = await answered(client, 503)
            catch_up(connection)
            green = await answered(client, 200)

        assert fresh == green == {"status": "ready", "failed": [], "behind": []}
        assert red == {"status": "not ready", "failed": ["projections"], "behind": list(PROJECTIONS)}

    asyncio.run(story())
