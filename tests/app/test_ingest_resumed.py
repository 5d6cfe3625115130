"""A load that is ended and begun again: the log is as if it had run once, and what it holds is not read again."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from bundle_histories import Sent, canonical
from examples import OPERATOR
from log_examples import KEY_SETTINGS, LEAST_RULES, Run, copied_database, everything
from tsuzuri.app.actions.known_bundles import InForce
from tsuzuri.app.actions.register_bundles import read_bundles, register_bundles, store_bundles
from tsuzuri.app.bundle_reader import BundleReader
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.record import Reading
from tsuzuri.domain.registrations import RegisteredBundle, Registration

LOAD = [
    Sent(
        f"000{n % 130:05}:::", f"P-{n % 130}", local_id=f"set-{n % 390}", version=n // 390, marked=n % 11 == 0
    )
    for n in range(900)
]
"""Five windows: new Bundles, and from the 391st on newer versions of what came before."""
_databases = itertools.count(1)


@contextmanager
def ingesting(dsn: str, home: Path, load: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command, as a process of its own that tells a program."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TSUZURI_")}
    own = {"TSUZURI_HOME": str(home), "TSUZURI_DATABASE": dsn, "TSUZURI_MODE": "development"}
    command = [
        sys.executable,
        "-c",
        "from tsuzuri.app.cli import main; main()",
        "ingest",
        "--json",
        str(load),
    ]
    with subprocess.Popen(
        command, env=environment | LEAST_RULES | KEY_SETTINGS | own, stdout=subprocess.PIPE
    ) as running:
        yield running


def statuses(lines: list[bytes]) -> Counter[str]:
    return Counter(json.loads(line)["status"] for line in lines)


@pytest.fixture
def came_to(server_dsn: str, template: str, settings: Settings) -> Callable[[Callable[[str], None]], Any]:
    """What the log holds after *load* was called on a database of its own."""

    def in_its_own(load: Callable[[str], None]) -> Any:
        async def told(dsn: str) -> list[RegisteredBundle]:
            async with services(settings, dsn) as opened:
                found = await register_bundles(opened, OPERATOR, [one.body() for one in LOAD], on_behalf=True)
                return [one for one in found if isinstance(one, RegisteredBundle)]

        name = f"resumed_{os.getpid()}_{next(_databases)}"
        with copied_database(server_dsn, template, name) as dsn:
            load(dsn)
            with Connection.connect(dsn, autocommit=True) as connection:
                before = everything(connection)
                named = asyncio.run(told(dsn))  # all of it once more changes nothing, and tells who is who
                assert everything(connection) == before
                return canonical(connection, named)

    return in_its_own


def test_killed_in_the_middle_and_begun_again_it_comes_to_what_an_undisturbed_run_comes_to(
    came_to: Any, tmp_path: Path
) -> None:
    load = tmp_path / "load.ndjson"
    load.write_bytes(b"\n".join(one.body() for one in LOAD))

    def undisturbed(dsn: str) -> None:
        with ingesting(dsn, tmp_path, load) as running:
            told, _ = running.communicate(timeout=120)
            assert statuses(told.splitlines()) == {"registered": 390, "replaced": 510}

    def killed_twice(dsn: str) -> None:
        for windows in (1, 2):
            with ingesting(dsn, tmp_path, load) as running:
                assert running.stdout is not None
                for _ in range(200 * windows):
                    assert running.stdout.readline()
                running.kill()
        with ingesting(dsn, tmp_path, load) as running:
            told, _ = running.communicate(timeout=120)
        found = statuses(told.splitlines())
        assert found.total() == len(LOAD) and found["unchanged"] + found["superseded"] >= 400

    assert came_to(killed_twice) == came_to(undisturbed)


def never(received: bytes) -> Reading:
    raise BundleRejected("Bundle", "this reader reads nothing")


def test_what_is_in_force_is_told_without_being_read_and_what_is_not_is_read(
    run: Run, connection: Connection[Any]
) -> None:
    older, newer, other = Sent().body(), Sent(version=1).body(), Sent(local_id="other").body()
    changed = newer.replace("試験".encode(), "試驗".encode())

    async def story(opened: Services) -> None:
        reading_nothing = replace(opened, bundle_reader=BundleReader(0, never))

        async def again(*bodies: bytes) -> list[Any]:
            read = await read_bundles(reading_nothing, OPERATOR, bodies, known=True)
            return await store_bundles(reading_nothing, OPERATOR, read)

        assert [type(one) for one in await again(older)] == [BundleRejected]
        await register_bundles(opened, OPERATOR, [older, newer], on_behalf=True)
        before = everything(connection)

        told = await again(newer, older, other, changed, b"{", newer)

        assert [one.outcome if isinstance(one, InForce) else None for one in told] == [
            Registration.UNCHANGED, Registration.SUPERSEDED, None, None, None, Registration.UNCHANGED
        ]  # fmt: skip
        assert [type(one) for one in told[2:5]] == [BundleRejected] * 3
        assert everything(connection)["payload"] == before["payload"]

    run(story)


def test_what_a_bundle_before_it_replaces_is_not_told_to_be_in_force(run: Run) -> None:
    """It was when the two were looked at; decided is in the order of the files."""
    older, newer = Sent().body(), Sent(version=1).body()

    async def story(opened: Services) -> None:
        await register_bundles(opened, OPERATOR, [older], on_behalf=True)

        read = await read_bundles(opened, OPERATOR, [newer, older], known=True)
        told = await store_bundles(opened, OPERATOR, read)

        assert [getattr(one, "outcome", None) for one in told] == [
            Registration.REPLACED,
            Registration.SUPERSEDED,
        ]

    run(story)
