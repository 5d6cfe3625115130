"""How a projector with nothing to do learns that there is something: one looks at the heads, the others listen.

Writers send no notifications: those would make them wait for each other. Where the server has no NOTIFY, all look.
"""

import threading
import time
from typing import Any

from psycopg import Connection
from psycopg.errors import FeatureNotSupported

_CHANNEL = "tsuzuri_heads"
_LOOK_SECONDS = 0.05


def listen(connection: Connection[Any]) -> bool:
    """Whether the server has notifications, which this session gets from now on."""
    try:
        connection.execute(f"LISTEN {_CHANNEL}".encode())
    except FeatureNotSupported:
        return False
    return True


def wait_for_events(
    connection: Connection[Any],
    seen: int,
    seconds: float,
    stopping: threading.Event,
    *,
    ticks: bool,
    listens: bool,
) -> None:
    """Returns when the log has grown beyond *seen*, or after so many seconds. Who *ticks* looks, and tells others."""
    if listens and not ticks:
        for _ in connection.notifies(timeout=seconds, stop_after=1):
            pass
        return
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopping.wait(_LOOK_SECONDS):
        if log_size(connection) != seen:
            if listens:
                connection.execute(f"NOTIFY {_CHANNEL}".encode())
            return


def log_size(connection: Connection[Any]) -> int:
    """How many events there are."""
    row = connection.execute("SELECT sum(pos)::bigint FROM part_head").fetchone()
    assert row is not None
    return int(row[0])
