"""Waiting for files without stopping anything else, and without being stopped by them."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def beside(call: Callable[[], T]) -> T:
    """What *call* answers, in a thread that nobody waits for at the end: a pipe may never say anything again."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(how: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if answer.done() else how())

    def run() -> None:
        try:
            found = call()
        except BaseException as error:
            failed = error
            settle(lambda: answer.set_exception(failed))
        else:
            settle(lambda: answer.set_result(found))

    threading.Thread(target=run, daemon=True).start()
    return await answer
