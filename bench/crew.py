"""Writers in processes of their own, started once and told when to write.

Writers are processes rather than threads wherever a line says "writers". With threads in one process both sides would
share one interpreter lock, and the comparison would be about who holds it longer: `python -m bench.bench_append
--threads` shows that.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from threading import Barrier, Thread
from types import TracebackType
from typing import Any, Self

from bench.rounds import Measured, Slice
from bench.samples import Ahead

Write = Callable[[], int]
"""Appends once and says how many events that were. Each belongs to one thread."""

OpenSlice = Callable[..., AbstractContextManager[Slice]]
"""A function at the top of a module, so that another process finds it: opens what is needed, yields a slice."""


class Crew:
    """One variant: *processes* that opened the same thing and write side by side.

    When they are *numbered*, each is also told which of how many it is.
    """

    def __init__(
        self, open_slice: OpenSlice, *arguments: Any, processes: int = 1, numbered: bool = False
    ) -> None:
        self._open, self._arguments, self._count = open_slice, arguments, processes
        self._numbered = numbered
        self._pipes: list[Connection[Any, Any]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")  # a fork would share connections and the server's lock
        for number in range(self._count):
            here, there = spawn.Pipe()
            arguments = (*self._arguments, number, self._count) if self._numbered else self._arguments
            process = spawn.Process(target=_serve, args=(there, self._open, arguments), daemon=True)
            process.start()
            there.close()
            self._stack.callback(process.join)
            self._pipes.append(here)
        for pipe in self._pipes:
            pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            pipe.close()  # the process reads the end and leaves
        self._stack.close()

    def __call__(self, seconds: float) -> Measured:
        for pipe in self._pipes:
            pipe.send(seconds)
        return together([pipe.recv() for pipe in self._pipes])


def together(parts: Sequence[Measured]) -> Measured:
    """What several writers did at the same time, from the first one's start to the last one's end."""
    return Measured(
        sum(part.events for part in parts),
        min(part.began for part in parts),
        max(part.ended for part in parts),
        [wait for part in parts for wait in part.waits],
        sum(part.client_cpu for part in parts),
        peak_mb=max(part.peak_mb for part in parts),
        wrong=sum(part.wrong for part in parts),
    )


def writing(writes: Sequence[Write], ahead: Sequence[Ahead[Any]] = ()) -> Slice:
    """A slice in which each writer writes until the time is up; more than one get a thread each.

    What they write of is made *ahead*, before the clock starts.
    """

    def run(seconds: float) -> Measured:
        for events in ahead:
            events.make()
        began_cpu = time.process_time()
        if len(writes) == 1:
            measured = _write(writes[0], seconds)
        else:
            found: list[Measured] = []
            ready = Barrier(len(writes))

            def one(write: Write) -> None:
                ready.wait()
                found.append(_write(write, seconds))

            threads = [Thread(target=one, args=(write,)) for write in writes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(found) == len(writes), "a writer failed"
            measured = together(found)
        return replace(measured, client_cpu=time.process_time() - began_cpu)

    return run


def _write(write: Write, seconds: float) -> Measured:
    events, waits = 0, []
    began = before = time.monotonic()
    until = began + seconds
    while before < until:
        events += write()
        after = time.monotonic()
        waits.append(after - before)
        before = after
    return Measured(events, began, before, waits)


def _serve(pipe: "Connection[Any, Any]", open_slice: OpenSlice, arguments: Sequence[Any]) -> None:
    with open_slice(*arguments) as run:
        pipe.send("ready")
        while True:
            try:
                seconds = pipe.recv()
            except EOFError:
                return
            pipe.send(run(seconds))
