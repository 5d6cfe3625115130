"""The server stopped at once under load, or its postmaster killed, and started again.

The writers, in threads, share one application that stays open all the time and must find back to the server by
itself. A batch that it could not save is tried again with the same events.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from psycopg import Connection

from log_examples import make_log, opened_log
from torture.harness import Outcome, Torture
from torture.ledger import Ledger, faults
from torture.writers import Writer, new_streams, seconds_until_all_write, writing
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.eventlog.log import LogApplication

IMMEDIATE_STOPS, POSTMASTER_KILLS = 100, 20
OUTAGE_SECONDS = 35.0  # once: an application that asks ever more rarely finds back late
WRITERS = 4
LOAD_SECONDS_MAX = 0.3
RECOVERY_SECONDS_MAX = 10.0  # from the moment the server is up


class Server:
    """One that can be ended at once and started again. Nobody tidies up in between."""

    def __init__(self, home: Path):
        self.home = home
        self.life = EmbeddedPostgres(home)
        self.slowest_start_seconds = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.life.stop()

    def start(self) -> None:
        began = time.monotonic()
        self.life = EmbeddedPostgres(self.home)
        self.life.__enter__()
        self.slowest_start_seconds = max(self.slowest_start_seconds, time.monotonic() - began)

    def end(self, number: signal.Signals) -> None:
        """Send the postmaster a signal that ends it, and let go of it, as whoever started it would."""
        pid = int((self.home / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, number)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self.life.stop()


def run(folder: Path, share: float) -> Outcome:
    seed = int.from_bytes(os.urandom(4))
    random, ledger, recoveries = Random(seed), Ledger(), []
    stops, kills = (max(1, round(number * share)) for number in (IMMEDIATE_STOPS, POSTMASTER_KILLS))
    numbers = [signal.SIGQUIT] * stops + [signal.SIGKILL] * kills
    random.shuffle(numbers)
    outages = [0.0] * (len(numbers) - 1) + [OUTAGE_SECONDS * share]
    with Server(folder / "postgres") as server:
        make_log(server.life.dsn)
        with opened_log(server.life.dsn, connections=WRITERS) as log:
            writers = _writers(log, ledger, random)
            with writing(writers):
                for number, outage in zip(numbers, outages, strict=True):
                    time.sleep(random.uniform(0, LOAD_SECONDS_MAX))
                    server.end(number)
                    time.sleep(outage)
                    server.start()
                    recoveries.append(seconds_until_all_write(writers))
        found = _faults(server, ledger)
    refused = sum(writer.refused for writer in writers)
    return Outcome(
        f"{stops} immediate stops and {kills} kills of the postmaster, the last for {outages[-1]:.0f} s (seed {seed}),"
        f" {ledger.told()}, {refused} refused and tried again; slowest start {server.slowest_start_seconds:.1f} s,"
        f" the same application wrote again at the latest {max(recoveries):.1f} s after it",
        [*found, *_late(recoveries)],
    )


def acknowledging_before_the_disk(folder: Path, _: float) -> Outcome:
    ledger = Ledger()
    with Server(folder / "postgres") as server:
        make_log(server.life.dsn)
        with Connection.connect(server.life.dsn, autocommit=True) as connection:
            connection.execute("ALTER DATABASE tsuzuri SET synchronous_commit = off")
            for setting in ("wal_writer_delay = '10s'", "wal_writer_flush_after = '1GB'"):
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        with opened_log(server.life.dsn, connections=WRITERS) as log:
            with writing(_writers(log, ledger, Random())) as stop:
                time.sleep(LOAD_SECONDS_MAX)
                stop.set()  # else they would go on where they believe their streams to be
                server.end(signal.SIGQUIT)
                server.start()
        found = _faults(server, ledger)
    return Outcome(f"1 immediate stop, {ledger.told()}", found)


def _writers(log: LogApplication, ledger: Ledger, random: Random) -> list[Writer]:
    return [
        Writer(f"writer {number}", log, ledger, Random(random.random()), new_streams(number))
        for number in range(WRITERS)
    ]


def _faults(server: Server, ledger: Ledger) -> list[str]:
    with Connection.connect(server.life.dsn) as connection:
        return faults(connection, ledger)


def _late(recoveries: Sequence[float]) -> list[str]:
    return [
        f"the same application wrote again only {seconds:.1f} s after the server was up"
        for seconds in recoveries
        if seconds > RECOVERY_SECONDS_MAX
    ]


TORTURE = Torture("server stopped at once", run, {"synchronous_commit=off": acknowledging_before_the_disk})
