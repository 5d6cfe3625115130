"""One PostgreSQL server for a benchmark, with a database for each variant, on a real disk."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from bench.rounds import Measured, Slice
from tsuzuri.app.embedded_postgres import EmbeddedPostgres

REAL_DISK = "/var/tmp"  # outlives a restart by convention, and so is no RAM disk; /tmp may be one
_PAGE = b"\x5a" * 8192


@dataclass(frozen=True)
class Server:
    """An embedded server (fsync and synchronous_commit on, otherwise PostgreSQL's defaults) and its folder."""

    dsn: str
    folder: Path

    def database(self, name: str, prepare: Callable[[str], object] | None = None) -> str:
        """A new database, prepared; its conninfo."""
        with Connection.connect(self.dsn, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        dsn = make_conninfo(self.dsn, dbname=name)
        if prepare is not None:
            prepare(dsn)
        return dsn

    def cpu_seconds(self) -> dict[int, float]:
        """CPU that each of its processes has used so far, user and system. Linux.

        Without autovacuum, which works for yesterday's appends, and without the processes that come and go.
        """
        with Connection.connect(self.dsn, autocommit=True) as connection:
            found = connection.execute(
                """SELECT pid FROM pg_stat_activity
                   WHERE pid <> pg_backend_pid() AND backend_type NOT LIKE 'autovacuum%'"""
            )
            return {pid: cpu_nanoseconds(pid) / 1e9 for (pid,) in found.fetchall()}


@contextmanager
def server() -> Iterator[Server]:
    """Start it, and say how fast its disk flushes: figures from a slower disk look different."""
    with TemporaryDirectory(prefix="tsuzuri-bench-", dir=REAL_DISK) as folder:
        os.chmod(folder, 0o755)  # the server may run under another account: see embedded_account
        with EmbeddedPostgres(Path(folder, "postgres")) as embedded:
            found = Server(embedded.dsn, Path(folder))
            with Connection.connect(found.dsn) as connection:
                version = connection.info.parameter_status("server_version")
            flushes = flushes_a_second(Path(folder))
            print(f"PostgreSQL {version}, {os.cpu_count()} CPUs, {flushes:,.0f} fdatasync/s in {REAL_DISK}")
            yield found


def flushes_a_second(folder: Path) -> float:
    """As pg_test_fsync does it: a page written over and over in place, flushed each time, for a second."""
    with open(folder / "flushed", "w+b", buffering=0) as file:
        file.write(_PAGE)
        os.fsync(file.fileno())
        count, began = 0, time.monotonic()
        while time.monotonic() - began < 1:
            os.pwrite(file.fileno(), _PAGE, 0)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - began)


def with_server_cpu(postgres: Server, run: Slice) -> Slice:
    """The slice, with the server's CPU beside the clients'."""

    def measured(seconds: float) -> Measured:
        before = postgres.cpu_seconds()
        found = run(seconds)
        after = postgres.cpu_seconds()
        used = sum(after[pid] - before[pid] for pid in before.keys() & after.keys())
        return replace(found, server_cpu=used)

    return measured


def cpu_nanoseconds(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])  # /proc/pid/stat counts in 10 ms
    except (FileNotFoundError, ProcessLookupError):
        return 0
