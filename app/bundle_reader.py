"""Reads Bundles in worker processes: a large one takes seconds of CPU, which must not stop the others."""

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.record import Reading


class BundleReader:
    """`read_bundle` in one of *processes* workers, or in this process when there are none."""

    def __init__(self, processes: int = 0):
        self._processes = processes
        self._executor = self._start() if processes else None

    async def read(self, received: bytes) -> Reading:
        """Raises BundleRejected."""
        if self._executor is None:
            return await asyncio.to_thread(read_bundle, received)
        executor = self._executor
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, read_bundle, received)
        except BrokenProcessPool:
            if self._executor is executor:  # the first to notice starts the next one
                self._executor = self._start()
            raise BundleRejected("Bundle", "the reader gave up on it: send it in smaller parts") from None

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        executor = ProcessPoolExecutor(
            self._processes, multiprocessing.get_context("spawn"), initializer=_live_with_parent
        )
        executor.submit(_warm_up)
        return executor


def _live_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _warm_up() -> None:
    """The first Bundle builds the FHIR models, about a quarter of a second: let it not be a sender's."""
    try:
        read_bundle(b'{"resourceType":"Bundle","type":"collection"}')
    except BundleRejected:
        pass
