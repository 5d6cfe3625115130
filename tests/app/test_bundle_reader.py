"""A Bundle that kills its worker, or is too much for it: it alone is rejected, whoever was being read beside it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deadly_reader import ENDLESS, FAULTY, GREEDY, HOLDING, KILLED_ONCE, KILLER, read_or_die
from examples import a_bundle
from tsuzuri.app.bundle_reader import BundleReader
from tsuzuri.app.reading_worker import Limits, ReadingFailed
from tsuzuri.domain.fhir.bundle import BundleRejected

LEAST = Limits(256 * 1024 * 1024, cpu_seconds=1)
CANARY = "カナリア"


@asynccontextmanager
async def a_reader(processes: int) -> AsyncIterator[BundleReader]:
    reader = BundleReader(processes, read_or_die, LEAST)
    try:
        yield reader
    finally:
        await asyncio.to_thread(reader.close)


async def outcome(reader: BundleReader, received: bytes) -> str:
    try:
        return (await reader.read(received)).document.value
    except BundleRejected as rejected:
        return str(rejected)


async def reader_of(reader: BundleReader, received: bytes) -> str:
    return (await reader.read(received)).document.title


def test_only_the_bundle_that_kills_a_worker_is_rejected() -> None:
    first, second = a_bundle(local_id="first"), a_bundle(local_id="second")

    async def story() -> None:
        async with a_reader(2) as reader:
            together = [outcome(reader, received) for received in (KILLER, first, second, KILLER)]
            told = await asyncio.gather(*together)
            afterwards = await outcome(reader, first)

        assert told[0] == told[3] == "Bundle: the reader gave up on it: send it in smaller parts"
        assert "first" in told[1] and "second" in told[2] and "first" in afterwards

    asyncio.run(story())


@pytest.mark.parametrize(("hostile", "reason"), [(GREEDY, "more memory"), (ENDLESS, "takes longer")])
def test_a_bundle_that_asks_too_much_is_rejected_with_the_reason_and_the_next_one_is_read(
    hostile: bytes, reason: str
) -> None:
    async def story() -> None:
        async with a_reader(1) as reader:
            told, next_one = await asyncio.gather(
                outcome(reader, hostile), outcome(reader, a_bundle(local_id="next"))
            )

        assert reason in told and told.endswith("send it in smaller parts")
        assert "next" in next_one

    asyncio.run(story())


def test_a_bundle_whose_worker_was_killed_by_somebody_else_is_read_once_more(tmp_path: Path) -> None:
    sent = KILLED_ONCE + os.fsencode(tmp_path / "killed") + b"\n" + a_bundle(local_id="again")

    async def story() -> None:
        async with a_reader(1) as reader:
            told = await outcome(reader, sent)

        assert (tmp_path / "killed").exists() and "again" in told

    asyncio.run(story())


def test_a_worker_that_holds_on_to_memory_is_replaced_and_another_is_not() -> None:
    sent = a_bundle()

    async def story() -> None:
        async with a_reader(1) as reader:
            first, second = await reader_of(reader, sent), await reader_of(reader, sent)
            holding, after = await reader_of(reader, HOLDING + sent), await reader_of(reader, sent)

        assert first == second == holding != after

    asyncio.run(story())


def test_a_fault_of_ours_is_logged_by_kind_and_place_and_repeats_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def story() -> None:
        async with a_reader(1) as reader:
            with pytest.raises(ReadingFailed) as told:
                await reader.read(FAULTY + CANARY.encode())
            afterwards = await outcome(reader, a_bundle(local_id="next"))

        assert CANARY not in repr(told.value) and "next" in afterwards

    asyncio.run(story())

    logged = capfd.readouterr().err
    assert '"fault":"KeyError"' in logged and "reading_worker.py" in logged
    assert CANARY not in logged and "Traceback" not in logged
