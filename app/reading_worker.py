"""One process that reads Bundles, one at a time, within limits: a hostile Bundle ends its worker and nothing else."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from tsuzuri.app.logs import configure_logs
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.record import Reading
from tsuzuri.domain.units import dump_entries, load_entries


class ReadingFailed(Exception):
    """A fault of ours in a worker, which has logged its kind and place: its words may repeat what it was given."""


Read = Callable[[bytes], Reading]
Answer = Reading | BundleRejected | ReadingFailed

TOO_MUCH_MEMORY = "reading it takes more memory than a reader may use: send it in smaller parts"
_log = structlog.get_logger()
_SMALLEST = b'{"resourceType":"Bundle","type":"collection"}'


class WorkerDied(Exception):
    """The worker ended without an answer."""

    def __init__(self, *, took_too_long: bool) -> None:
        super().__init__("a worker that reads Bundles died")
        self.took_too_long = took_too_long


@dataclass(frozen=True)
class Limits:
    """What one worker may use. Memory is its own data (RLIMIT_DATA), not the program's text."""

    memory_bytes: int
    cpu_seconds: int = 30  # for one Bundle; of CPU, so that a busy machine refuses nothing

    @property
    def resident_bytes(self) -> int:
        """A worker that holds on to more than this after a Bundle is replaced: the next one needs room."""
        return self.memory_bytes // 2


class ReadingWorker:
    """A worker as its owner sees it. Starting takes a second or so, in which nobody waits but who asks it."""

    def __init__(self, read: Read, limits: Limits) -> None:
        spawn = multiprocessing.get_context("spawn")  # a fork would share the connections of this process
        self._ours, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(theirs, read, limits), daemon=True)
        self._process.start()
        theirs.close()
        self.retired = False  # it has answered and ends now: start another

    def read(self, received: bytes) -> Answer:
        """Raises WorkerDied."""
        try:
            self._ours.send_bytes(received)
            answer: Answer
            answer, entries, self.retired = self._ours.recv()
            return replace(answer, entries=load_entries(entries)) if isinstance(answer, Reading) else answer
        except (EOFError, OSError):
            self._process.join()
            took_too_long = self._process.exitcode == -signal.SIGXCPU
            raise WorkerDied(took_too_long=took_too_long) from None

    def close(self) -> None:
        """Nobody asks it any more, and it holds nothing: one that has just been started need not finish starting."""
        self._ours.close()
        self._process.terminate()
        self._process.join()


def _work(asked: Connection, read: Read, limits: Limits) -> None:
    """Answer until there is nobody to answer to, be it that the owner was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold a Bundle
    configure_logs()
    _answer(
        read, _SMALLEST
    )  # the first Bundle builds the rules, a quarter of a second: let it not be a sender's
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes, most))
    retires = False
    while not retires:
        try:
            received = asked.recv_bytes()
        except (EOFError, OSError):
            return
        _limit_cpu(limits.cpu_seconds)
        try:
            answer = _answer(read, received)
        except MemoryError:
            answer, retires = BundleRejected("Bundle", TOO_MUCH_MEMORY), True  # who knows what it still holds
        del received
        retires = retires or _resident_bytes() > limits.resident_bytes
        try:
            asked.send((*_apart(answer), retires))
        except OSError:
            return


def _apart(answer: Answer) -> tuple[Answer, bytes]:
    """An answer and a Reading's entries, as they are stored: to pickle them as objects takes five times as long."""
    if isinstance(answer, Reading):
        return replace(answer, entries=()), dump_entries(answer.entries)
    return answer, b""


def _answer(read: Read, received: bytes) -> Answer:
    """Raises MemoryError."""
    try:
        return read(received)
    except BundleRejected as rejected:
        return rejected
    except MemoryError:
        raise
    except Exception as error:
        from tsuzuri.graphql.failures import places  # takes longer to import than a worker to start

        _log.error("reading_fault", fault=type(error).__name__, at=places(error))
        return ReadingFailed("reading a Bundle failed by a fault of ours")


def _limit_cpu(seconds: int) -> None:
    """So much from now on. The system ends who uses more, even within one call that never returns."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, most))


def _resident_bytes() -> int:
    """Linux; elsewhere nobody tells what is in use now, and the limit alone must do."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
