"""A Bundle that kills the worker it is read in: it alone is rejected, whoever was being read beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deadly_reader import KILLER, read_or_die
from examples import a_bundle
from tsuzuri.app.bundle_reader import BundleReader
from tsuzuri.domain.fhir.bundle import BundleRejected


@asynccontextmanager
async def a_reader(processes: int) -> AsyncIterator[BundleReader]:
    reader = BundleReader(processes, read_or_die)
    try:
        yield reader
    finally:
        await asyncio.to_thread(reader.close)


async def outcome(reader: BundleReader, received: bytes) -> str:
    try:
        return (await reader.read(received)).document.value
    except BundleRejected as rejected:
        return str(rejected)


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
