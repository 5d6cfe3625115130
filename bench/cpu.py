"""CPU that a server has used: it, and all the processes below it. Linux."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class _Used:
    parent: int
    seconds: float  # its own, user and system, and what its children had used when they ended


def tree_seconds(root: int) -> float:
    """What the process *root* and all below it have used so far."""
    children: dict[int, list[int]] = defaultdict(list)
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := _used(int(entry.name))) is not None:
            used[int(entry.name)] = found.seconds
            children[found.parent].append(int(entry.name))
    waiting, total = [root], 0.0
    while waiting:
        process = waiting.pop()
        total += used.get(process, 0.0)
        waiting += children[process]
    return total


def postmaster(dsn: str) -> int:
    """The process above all those of the PostgreSQL server."""
    with Connection.connect(dsn) as connection:
        found = _used(connection.info.backend_pid)
    assert found is not None, "the server runs on another machine"
    return found.parent


def _used(process: int) -> _Used | None:
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = told.rpartition(")")[2].split()  # the name before it may hold anything
    return _Used(int(fields[1]), sum(map(int, fields[11:15])) / _TICKS)
