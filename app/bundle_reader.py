"""Reads Bundles in worker processes: a large one takes seconds of CPU, which must not stop the others."""

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from tsuzuri.app.reading_worker import Answer, Limits, Read, ReadingWorker, WorkerDied
from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.record import Reading
from tsuzuri.domain.rules.policies import policy_named

GIVEN_UP = "the reader gave up on it: send it in smaller parts"
TOO_LONG = "reading it takes longer than a reader may take: send it in smaller parts"
_MEGABYTE = 1024 * 1024


def read_under(policy: str, severities: str, received: bytes) -> Reading:
    """`read_bundle` under a policy by its name: what crosses to a worker is small."""
    return read_bundle(received, policy_named(policy, severities))


class BundleReader:
    """Reads in one of *processes* workers, or in this process, without limits, when there are none.

    A worker reads one Bundle at a time, so it is known which Bundle was too much for it. One that uses too much memory
    or time is rejected. One whose worker died of something else is read once more, by a new worker: when memory runs
    short the system may kill whom it likes.
    """

    def __init__(self, processes: int = 0, read: Read = read_bundle, limits: Limits | None = None) -> None:
        self._read = read
        self._limits = limits or Limits(1024 * _MEGABYTE)
        self._threads = ThreadPoolExecutor(processes, "bundle-reader") if processes else None
        self._idle = deque(self._started() for _ in range(processes))  # never empty when a thread looks

    async def read(self, received: bytes) -> Reading:
        """Raises BundleRejected; ReadingFailed for a fault of ours."""
        if self._threads is None:
            return await asyncio.to_thread(self._read, received)
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, received)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answer(self, received: bytes) -> Answer:
        worker = self._idle.popleft()
        try:
            for _ in range(2):
                try:
                    return worker.read(received)
                except WorkerDied as died:
                    worker = self._started()
                    if died.took_too_long:
                        return BundleRejected("Bundle", TOO_LONG)
            return BundleRejected("Bundle", GIVEN_UP)
        finally:
            if worker.retired:
                worker.close()
                worker = self._started()
            self._idle.append(worker)

    def _started(self) -> ReadingWorker:
        return ReadingWorker(self._read, self._limits)

    def close(self) -> None:
        """Waits for the Bundles that are being read; what waits for a worker is not read any more."""
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._idle:
            worker.close()
