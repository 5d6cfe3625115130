"""Random documents are answered by their plans as by ordinary execution, byte by byte, and recorded alike.

The short form of tests/torture/compiled_documents.py, over one world for all of these tests.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from log_examples import copied_database
from torture.both_ways import Way
from torture.comparing_documents import Compared, Comparing
from torture.read_world import Inhabited, inhabited
from torture.veiled_worlds import opened
from torture.wrong_answers import CONTROLS, as_planned

DOCUMENTS, UNTIL_NOTICED = 200, 300


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def dsn(server_dsn: str, template: str) -> Iterator[str]:
    with copied_database(server_dsn, template, "compiled_documents") as copy:
        yield copy


@pytest.fixture(scope="module")
def there(home: Path, dsn: str) -> Inhabited:
    async def made() -> Inhabited:
        async with opened(home, dsn) as world:
            return await inhabited(world)

    return asyncio.run(made())


@pytest.fixture
def compare(home: Path, dsn: str, there: Inhabited) -> Callable[[Way, int, int], Compared]:
    """So many documents, or until so many differ."""

    def compared(way: Way, documents: int, faults_max: int) -> Compared:
        async def inside() -> Compared:
            async with opened(home, dsn) as world:
                asking = Comparing(world, there, seed, way, shrinks=faults_max - 1)
                return await asking.compare(documents, faults_max=faults_max)

        seed = str(Random().randrange(10**9))
        print(f"seed {seed}")
        return asyncio.run(inside())

    return compared


def test_a_plan_answers_and_is_recorded_as_ordinary_execution(
    compare: Callable[[Way, int, int], Compared],
) -> None:
    found = compare(as_planned(), DOCUMENTS, 2)

    assert found.faults == []
    assert not found.given_up, "documents that tell no error are compiled, all of them"
    assert found.compiled > 0.8 * DOCUMENTS


@pytest.mark.parametrize("control", CONTROLS)
def test_an_answer_that_is_a_little_wrong_is_noticed(
    compare: Callable[[Way, int, int], Compared], control: str
) -> None:
    assert compare(CONTROLS[control](), UNTIL_NOTICED, 1).faults
