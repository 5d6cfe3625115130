"""Processes beside `tsuzuri serve` end with it, however it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable

_LOOK_SECONDS = 0.2


def ended_with(parent: int, end: Callable[[], object]) -> None:
    """Call *end* when this process is asked to end, or *parent*, the process that started it, has ended.

    Call it in the main thread.
    """
    # A terminal sends it to all of us; who started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: end())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        end()

    threading.Thread(target=watch, daemon=True).start()
