"""The whole log in one file, for who checks it elsewhere: a snapshot, written as it is read."""

from collections.abc import Callable
from typing import TextIO

from tsuzuri.app.services import Services
from tsuzuri.eventlog.proving import prover

_TOLD_EACH = 1_000


async def write_log(
    services: Services, out: TextIO, number: int | None, written: Callable[[int], None]
) -> int:
    """Under head *number*, or the newest. Gives how many events were written; *written* is told on the way.

    Nothing of it can be read without keys, and none goes with it. Raises tsuzuri.eventlog.proving.NotCovered.
    """
    events = -1  # the first line is of the head
    async with prover(services.pool) as made:
        async for line in made.log(number):
            out.write(line + "\n")
            events += 1
            if events % _TOLD_EACH == 0:
                written(events)
    return events
