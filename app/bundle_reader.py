"""Reads Bundles in worker processes: a large one takes seconds of CPU, which must not stop the others."""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.record import Reading
from tsuzuri.domain.rules.policies import policy_named

Read = Callable[[bytes], Reading]


def read_under(policy: str, severities: str, received: bytes) -> Reading:
    """`read_bundle` under a policy by its name: what crosses to a worker is small."""
    return read_bundle(received, policy_named(policy, severities))


class BundleReader:
    """Reads in one of *processes* workers, or in this process when there are none.

    A worker that dies takes with it all Bundles that are being read or wait for it, and nobody knows whose fault it
    was. So each of them is read once more, alone in a worker of its own: the one that kills this one too is rejected.
    """

    def __init__(self, processes: int = 0, read: Read = read_bundle):
        self._processes = processes
        self._read = read
        self._executor = self._start(processes) if processes else None
        self._suspects = 0
        self._trial: ProcessPoolExecutor | None = None  # one worker, which lives while there are suspects
        self._one_at_a_time = asyncio.Lock()

    async def read(self, received: bytes) -> Reading:
        """Raises BundleRejected."""
        if self._executor is None:
            return await asyncio.to_thread(self._read, received)
        executor = self._executor
        try:
            return await self._read_in(executor, received)
        except BrokenProcessPool:
            if self._executor is executor:  # the first to notice starts the next one
                self._executor = self._start(self._processes)
            return await self._read_alone(received)

    async def _read_alone(self, received: bytes) -> Reading:
        self._suspects += 1
        try:
            async with self._one_at_a_time:
                self._trial = self._trial or self._start(1)
                try:
                    return await self._read_in(self._trial, received)
                except BrokenProcessPool:
                    self._trial = None
                    reason = "the reader gave up on it: send it in smaller parts"
                    raise BundleRejected("Bundle", reason) from None
        finally:
            self._suspects -= 1
            if self._suspects == 0 and self._trial is not None:
                self._trial.shutdown(wait=False)
                self._trial = None

    async def _read_in(self, executor: ProcessPoolExecutor, received: bytes) -> Reading:
        return await asyncio.get_running_loop().run_in_executor(executor, self._read, received)

    def close(self) -> None:
        for executor in (self._executor, self._trial):
            if executor is not None:
                executor.shutdown(wait=True, cancel_futures=True)

    def _start(self, processes: int) -> ProcessPoolExecutor:
        executor = ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), initializer=_live_with_parent
        )
        executor.submit(_warm_up, self._read)
        return executor


def _live_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _warm_up(read: Read) -> None:
    """The first Bundle builds the rules, about a quarter of a second: let it not be a sender's."""
    try:
        read(b'{"resourceType":"Bundle","type":"collection"}')
    except BundleRejected:
        pass
