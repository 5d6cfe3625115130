"""Tasks that are to end, and do."""

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_SECONDS = 0.1


async def ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel them and wait until all have ended, however they end.

    On Python 3.11 a cancellation is lost when it comes in the moment in which `asyncio.wait_for` has its answer, and
    the driver waits for the database so: it is said again until it was heard.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        done, waiting = await asyncio.wait(waiting, timeout=_AGAIN_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()  # asked for, so that nobody says that it never was
