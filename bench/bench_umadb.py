"""The same append against UmaDB, an event store made for conditional appends. Reported as it is: no bar.

Both sides append one event of 2 KB a call on the condition that its stream has not moved on: ours by the version,
UmaDB by a query on the stream's tag behind the last position known. Up to four processes share the writers, with
threads in each: both clients wait outside the interpreter lock. UmaDB runs with its own defaults on the same disk;
under strace it flushed twice a commit (0.7.8), so both sides are durable. It groups concurrent commits.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec
import umadb

from bench import ours
from bench.bench_append import saving
from bench.crew import Crew, Write, writing
from bench.rounds import Report, Slice, faster, interleaved, rates
from bench.samples import Ahead, listings
from bench.server import server
from tsuzuri.domain.events import FacilityListed

WRITERS, PROCESSES_MAX = (1, 4, 16), 4
START_SECONDS = 20.0


@contextmanager
def umadb_server(folder: Path) -> Iterator[str]:
    """A server on a free port of this machine; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    program = Path(sys.executable).with_name("umadb")
    with (
        open(folder / "umadb.log", "wb") as log,
        subprocess.Popen(
            [program, "--listen", address, "--db-path", folder / "uma.db"], stdout=log, stderr=log
        ) as process,
    ):
        try:
            _await(address, process)
            yield f"http://{address}"
        finally:
            process.terminate()


def _await(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            umadb.Client(f"http://{address}").head()
            return
        except (umadb.TransportError, RuntimeError, OSError):
            assert process.poll() is None, "UmaDB did not start"
            assert time.monotonic() < deadline, f"UmaDB gave no answer for {START_SECONDS:.0f} s"
            time.sleep(0.1)


@contextmanager
def appending(url: str, threads: int) -> Iterator[Slice]:
    """UmaDB's slice: one client, and each thread appends to streams of its own."""
    with umadb.Client(url) as client:

        def writer(events: Iterator[FacilityListed]) -> Write:
            last: int | None = None

            def write() -> int:
                nonlocal last
                event = next(events)
                if event.originator_version == 1:
                    last = None
                stream = umadb.Query([umadb.QueryItem(tags=[event.originator_id])])
                state = {name: value for name, value in vars(event).items() if name not in _HEADER}
                made = umadb.Event(
                    event.TOPIC, msgspec.json.encode(state), [event.originator_id], event.event_id
                )
                last = client.append([made], umadb.AppendCondition(stream, last))
                return 1

            return write

        ahead = [Ahead(listings()) for _ in range(threads)]
        yield writing([writer(events) for events in ahead], ahead)


_HEADER = frozenset({"originator_id", "originator_version", "event_id"})  # said by tag, position and uuid


def main() -> None:
    report = Report()
    with server() as postgres, umadb_server(postgres.folder) as url, ExitStack() as stack:
        print(f"UmaDB {version('umadb')}")
        log = postgres.database("log", ours.prepare)
        slices: dict[str, Slice] = {}
        for writers in WRITERS:
            processes = min(writers, PROCESSES_MAX)
            threads = writers // processes
            for name, crew in (
                (f"ours, {writers}", Crew(saving, log, threads, processes=processes)),
                (f"UmaDB, {writers}", Crew(appending, url, threads, processes=processes)),
            ):
                slices[name] = stack.enter_context(crew)
        rounds = interleaved({**slices, "ours, 1 again": slices["ours, 1"]})
    report.control(rounds, "ours, 1", "ours, 1 again")
    for writers in WRITERS:
        over, under = f"ours, {writers}", f"UmaDB, {writers}"
        report.claim(
            f"conditional append, {writers} writers, over UmaDB's",
            rounds,
            faster(over, under),
            beside=rates(over, under),
        )
    report.end()


if __name__ == "__main__":
    main()
