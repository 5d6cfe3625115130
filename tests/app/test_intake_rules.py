"""Bundles under the rules of their guide: kept out whole with everything they break, or taken with warnings."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
from psycopg import Connection

from command_examples import Tsuzuri
from examples import CLINIC_SYSTEM
from log_examples import KEY_SETTINGS, settings_at
from rule_bundles import collection
from rule_resources import INSTITUTION, Json, condition
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.register_bundles import register_bundles
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import Services, services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import BundleRefused, BundleRegistered
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES, BundleRejected
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.rules.policies import policy_named
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.schema import build_schema

SENDER = Caller(**vars(CLINIC_SYSTEM) | {"facility": INSTITUTION})
SECRET = "秘密の値"


def without_category() -> Json:
    """Breaks one rule, and holds a value that no message may repeat."""
    bundle = collection(condition())
    resource = bundle["entry"][1]["resource"]
    del resource["category"]
    resource["code"]["text"] = SECRET
    return bundle


def told(dsn: str, tmp_path: Path, story: Any, **settings: str) -> None:
    async def run() -> None:
        chosen = settings_at(tmp_path, TSUZURI_RULES="clins-1.10", **settings)
        async with services(chosen, dsn) as opened:
            await story(opened)

    asyncio.run(run())


def test_a_bundle_that_breaks_an_error_rule_is_kept_out_whole(
    dsn: str, tmp_path: Path, connection: Connection[Any]
) -> None:
    received = orjson.dumps(without_category())

    async def story(opened: Services) -> None:
        try:
            await register_bundle(opened, SENDER, received)
        except BundleRejected as rejected:
            assert rejected.rules == ("T:JP_Condition_eCS.category",)
            assert rejected.place == "Bundle.entry[1].resource.category"
            assert SECRET not in str(rejected)
        else:
            raise AssertionError("it was taken")
        (refused,) = await opened.log.stream(facility_owner(INSTITUTION), Stream.ACCESS)
        assert isinstance(refused, BundleRefused)
        assert refused.broken == ("T:JP_Condition_eCS.category",)
        assert refused.rules == policy_named("clins-1.10").version
        assert refused.received_bytes == len(received)

    told(dsn, tmp_path, story)
    stored = connection.execute("SELECT topic FROM event").fetchall()
    assert stored == [("bundle-refused",)], "nothing else is stored"


def test_one_of_many_is_kept_out_and_the_others_are_taken(dsn: str, tmp_path: Path) -> None:
    bodies = [orjson.dumps(collection(condition())), orjson.dumps(without_category())]

    async def story(opened: Services) -> None:
        taken, refused = await register_bundles(opened, SENDER, bodies)
        assert not isinstance(taken, Exception)
        assert isinstance(refused, BundleRejected)
        (kept,) = await opened.log.stream(facility_owner(INSTITUTION), Stream.ACCESS)
        assert isinstance(kept, BundleRefused)

    told(dsn, tmp_path, story)


def test_a_rule_made_a_warning_lets_it_in_and_the_event_keeps_both(dsn: str, tmp_path: Path) -> None:
    softened = "T:JP_Condition_eCS.category=warning"

    async def story(opened: Services) -> None:
        taken = await register_bundle(opened, SENDER, orjson.dumps(without_category()))
        warning = "T:JP_Condition_eCS.category Bundle.entry[1].resource.category"
        assert warning in taken.warnings
        events = await opened.log.stream(taken.patient, Stream.RECORD)
        (registered,) = [event for event in events if isinstance(event, BundleRegistered)]
        assert warning in registered.warnings
        assert registered.rules == policy_named("clins-1.10", softened).version
        assert registered.rules != policy_named("clins-1.10").version

    told(dsn, tmp_path, story, TSUZURI_RULE_SEVERITIES=softened)


def test_graphql_tells_every_rule_and_place(dsn: str, tmp_path: Path) -> None:
    bundle = json.dumps(without_category(), ensure_ascii=False)
    mutation = "mutation ($bundle: String!) { registerBundle(bundle: $bundle) { outcome } }"

    async def story(opened: Services) -> None:
        schema = build_schema()
        answer = await execute(schema, TsuzuriApplication(opened, ""), SENDER, mutation, {"bundle": bundle})
        (error,) = answer["errors"]
        (broken,) = error["extensions"]["broken"]
        assert broken["rule"] == "T:JP_Condition_eCS.category"
        assert broken["paths"] == ["Bundle.entry[1].resource.category"]
        assert broken["fix"]["ja"] and SECRET not in str(error)

    told(dsn, tmp_path, story)


def test_a_bundle_of_more_than_10_mb_is_kept_out_by_its_rule_and_that_is_kept(
    dsn: str, tmp_path: Path
) -> None:
    bundle = json.dumps(collection(condition())) + " " * SIZE_MAX_BYTES
    mutation = "mutation ($bundle: String!) { registerBundle(bundle: $bundle) { outcome } }"

    async def story(opened: Services) -> None:
        schema = build_schema()
        answer = await execute(schema, TsuzuriApplication(opened, ""), SENDER, mutation, {"bundle": bundle})
        (error,) = answer["errors"]
        assert [one["rule"] for one in error["extensions"]["broken"]] == ["T0001"]
        (refused,) = await opened.log.stream(facility_owner(INSTITUTION), Stream.ACCESS)
        assert isinstance(refused, BundleRefused)
        assert refused.broken == ("T0001",)

    told(dsn, tmp_path, story)


def test_ingest_tells_programs_the_rules(dsn: str, tmp_path: Path, tsuzuri: Tsuzuri) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(orjson.dumps(without_category()))

    done = tsuzuri("ingest", "--json", file, TSUZURI_DATABASE=dsn, TSUZURI_RULES="clins-1.10", **KEY_SETTINGS)

    line = json.loads(done.out)
    assert (done.code, line["status"]) == (1, "rejected")
    assert [one["rule"] for one in line["broken"]] == ["T:JP_Condition_eCS.category"]
    assert SECRET not in done.out + done.err
