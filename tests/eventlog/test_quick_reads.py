"""Prepared statements of the lines for reading: each answers for itself, whatever was evicted, dropped or cut off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import UndefinedTable

from log_examples import logins
from tsuzuri.eventlog import lines
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.quick_reads import QuickReads

KEPT = 3
_MINE = "SELECT count(*) FROM pg_prepared_statements"
Story = Callable[[QuickReads], Awaitable[None]]


@pytest.fixture
def tell(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """A story over one line, which keeps few statements."""
    monkeypatch.setattr(lines, "PREPARED_MAX", KEPT)

    @asynccontextmanager
    async def opened() -> AsyncIterator[QuickReads]:
        reads = QuickReads(logins(dsn).of(LogRole.READER), connections=1)
        yield reads
        await reads.close()

    def run(story: Story) -> None:
        async def inside() -> None:
            async with opened() as reads:
                await story(reads)

        asyncio.run(inside())

    return run


async def asked(reads: QuickReads, statement: str, *values: Any) -> str:
    """The first field of the first row."""
    field = (await reads.fetch(statement, values)).get_value(0, 0)
    assert field is not None
    return field.decode()


async def prepared(reads: QuickReads, statement: str, *values: Any) -> str:
    """As `asked`, of a statement that is prepared afterwards."""
    await asked(reads, statement, *values)
    return await asked(reads, statement, *values)


def test_each_of_many_statements_answers_for_itself_however_few_are_kept(
    tell: Callable[[Story], None],
) -> None:
    async def story(reads: QuickReads) -> None:
        random = Random(seed := Random().randrange(10**9))
        for place in range(1_500):
            number = random.choice((random.randrange(5), random.randrange(300)))
            told = await asked(reads, f"SELECT '{number} asked with ' || $1::int", place)
            assert told == f"{number} asked with {place}", f"seed {seed}"

    tell(story)


def test_no_name_means_two_statements_and_what_is_evicted_is_deallocated(
    tell: Callable[[Story], None],
) -> None:
    async def story(reads: QuickReads) -> None:
        meant: dict[str, str] = {}
        for number in range(60):
            await prepared(reads, f"SELECT {number % 20} + $1::int", 1)
            found = await reads.fetch("SELECT name, statement FROM pg_prepared_statements", ())
            assert found.ntuples <= KEPT
            for row in range(found.ntuples):
                name, statement = (str(found.get_value(row, column)) for column in (0, 1))
                assert meant.setdefault(name, statement) == statement
        assert len(meant) > 20

    tell(story)


def test_statements_that_somebody_deallocates_are_prepared_anew(tell: Callable[[Story], None]) -> None:
    async def story(reads: QuickReads) -> None:
        for number in range(KEPT):
            await prepared(reads, f"SELECT {number} + $1::int", 10)
        await reads.fetch("DEALLOCATE ALL", ())

        again = [await asked(reads, f"SELECT {number} + $1::int", 20) for number in range(KEPT)]
        await reads.fetch("DEALLOCATE ALL", ())
        others = [await prepared(reads, f"SELECT {number} * $1::int", 2) for number in range(KEPT)]

        assert again == ["20", "21", "22"]
        assert others == ["0", "2", "4"]
        assert int(await asked(reads, _MINE)) <= KEPT

    tell(story)


def test_a_line_that_was_cut_off_while_nobody_used_it_fails_nobody(
    tell: Callable[[Story], None], connection: Connection[Any]
) -> None:
    async def story(reads: QuickReads) -> None:
        pid = await prepared(reads, "SELECT pg_backend_pid()")
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (int(pid),))

        assert await asked(reads, "SELECT pg_backend_pid()") != pid

    tell(story)


def test_a_question_that_is_cut_off_is_asked_once_more(
    tell: Callable[[Story], None], connection: Connection[Any]
) -> None:
    async def story(reads: QuickReads) -> None:
        pid = await asked(reads, "SELECT pg_backend_pid()")
        waiting = asyncio.create_task(asked(reads, "SELECT 'slept' || pg_sleep(1)"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(connection.execute, "SELECT pg_terminate_backend(%s, 5000)", (int(pid),))

        assert await waiting == "slept"
        assert await asked(reads, "SELECT pg_backend_pid()") != pid

    tell(story)


def test_the_answer_to_a_question_that_was_given_up_is_nobody_elses(tell: Callable[[Story], None]) -> None:
    async def story(reads: QuickReads) -> None:
        await prepared(reads, "SELECT 'mine'")
        given_up = asyncio.create_task(asked(reads, "SELECT 'another''s' || pg_sleep(0.2)"))
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)

        assert await asked(reads, "SELECT 'mine'") == "mine"

    tell(story)


def test_a_table_that_was_dropped_is_missing_and_one_made_in_its_place_is_read(
    tell: Callable[[Story], None], connection: Connection[Any]
) -> None:
    async def story(reads: QuickReads) -> None:
        connection.execute("CREATE SCHEMA filled; GRANT USAGE ON SCHEMA filled TO PUBLIC")
        for made, value in (("text", "before"), ("text", "after"), ("int", "3")):
            connection.execute(f"CREATE TABLE filled.row (value {made})".encode())
            connection.execute("GRANT SELECT ON filled.row TO PUBLIC")
            connection.execute("INSERT INTO filled.row VALUES (%s)", (value,))
            assert await prepared(reads, "SELECT value FROM filled.row") == value
            connection.execute("DROP TABLE filled.row")
            with pytest.raises(UndefinedTable):
                await asked(reads, "SELECT value FROM filled.row")

    tell(story)
