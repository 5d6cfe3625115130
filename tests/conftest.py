"""One PostgreSQL server for the whole run, and a database of its own for each test that asks for one."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from log_examples import PARTS, copied_database, make_log, settings_at
from quick_server import hash_passwords_quickly, memory_folder
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.graphql.schema import build_schema, schema_sha256

hypothesis.settings.register_profile("house", deadline=None)  # no test asserts a time
hypothesis.settings.load_profile("house")

T = TypeVar("T")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """TSUZURI_TEST_DATABASE when it is set, else an embedded server that is as quick as one can be.

    What a torture or a test kills is a server of its own.
    """
    if given := os.environ.get("TSUZURI_TEST_DATABASE"):
        yield given
        return
    with memory_folder() as folder, EmbeddedPostgres(folder / "postgres") as server:
        hash_passwords_quickly(server.dsn)
        yield server.dsn


@pytest.fixture(scope="session")
def template(server_dsn: str) -> str:
    """A migrated, empty database that new ones are copied from: TSUZURI_TEST_TEMPLATE when it is set."""
    if given := os.environ.get("TSUZURI_TEST_TEMPLATE"):
        return given
    name = f"template_{os.getpid()}"
    with Connection.connect(server_dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    make_log(make_conninfo(server_dsn, dbname=name), parts=PARTS)
    return name


@pytest.fixture
def dsn(server_dsn: str, template: str) -> Iterator[str]:
    """An empty, migrated database."""
    with copied_database(server_dsn, template, f"test_{os.getpid()}_{next(_numbers)}") as copy:
        yield copy


@pytest.fixture
def empty_dsn(server_dsn: str) -> Iterator[str]:
    """A database nobody has migrated."""
    name = f"unmigrated_{os.getpid()}_{next(_numbers)}"
    with Connection.connect(server_dsn, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield make_conninfo(server_dsn, dbname=name)
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def connection(dsn: str) -> Iterator[Connection[Any]]:
    with Connection.connect(dsn, autocommit=True) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


@pytest.fixture
def run(settings: Settings, dsn: str) -> Callable[[Callable[[Services], Awaitable[T]]], T]:
    """Run a coroutine function on services over the test's own database."""

    def run_one(work: Callable[[Services], Awaitable[T]]) -> T:
        async def inside() -> T:
            async with services(settings, dsn) as opened:
                return await work(opened)

        return asyncio.run(inside())

    return run_one


@pytest.fixture
def open_application(settings: Settings, dsn: str) -> Callable[[], Any]:
    """An application and its schema, as an asynchronous context."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[TsuzuriApplication]:
        async with services(settings, dsn) as under:
            yield TsuzuriApplication(under, schema_sha256(build_schema()))

    return opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest is begun first: at the end no process waits for another's last file.

    Published examples lie outside the project: without them their tests say so and are skipped.
    """
    items.sort(key=lambda item: "torture" not in item.path.parts)  # else as they came
    if not shared_data().is_dir():
        for item in items:
            if item.get_closest_marker("realdata"):
                item.add_marker(pytest.mark.skip(reason="no shared data"))


def shared_data() -> Path:
    given = os.environ.get("TSUZURI_SHARED_DATA")
    return Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
