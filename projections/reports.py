"""What a projector process says of its work: how much, how fast, how long its last batch took."""

import time
from collections import deque
from typing import Any
from uuid import UUID

from psycopg import Connection

_OF_LATE_SECONDS = 10.0


class _Work:
    """On one generation, since the process started."""

    def __init__(self) -> None:
        self.events = 0
        self.batch_seconds = self.batch_seconds_max = 0.0
        self.batches: deque[tuple[float, float, int]] = deque()  # began, ended, events

    def per_second(self, now: float) -> float:
        """Over the time it was seen working of late; 0 when it was not."""
        while self.batches and self.batches[0][1] < now - _OF_LATE_SECONDS:
            self.batches.popleft()
        if not self.batches:
            return 0.0
        return sum(events for _, _, events in self.batches) / max(now - self.batches[0][0], 1e-3)


class Reports:
    """Gathered in memory, written now and then."""

    def __init__(self, process: UUID) -> None:
        self._process = process
        self._work: dict[tuple[str, int], _Work] = {}

    def add(self, name: str, generation: int, events: int, took: float) -> None:
        """One batch has ended, which took so many seconds."""
        work = self._work.setdefault((name, generation), _Work())
        now = time.monotonic()
        work.events += events
        work.batch_seconds = took
        work.batch_seconds_max = max(work.batch_seconds_max, took)
        work.batches.append((now - took, now, events))

    def write(self, connection: Connection[Any]) -> None:
        now = time.monotonic()
        with connection.cursor() as cursor:
            cursor.executemany(
                """INSERT INTO projector_report AS r
                       (process, name, generation, events, per_second, batch_seconds, batch_seconds_max)
                   VALUES (%s, %s, %s, %s, %s, %s, %s)
                   ON CONFLICT (process, name, generation) DO UPDATE
                   SET events = excluded.events, per_second = excluded.per_second,
                       batch_seconds = excluded.batch_seconds, batch_seconds_max = excluded.batch_seconds_max,
                       reported_at = clock_timestamp()""",
                [
                    (
                        self._process,
                        name,
                        generation,
                        work.events,
                        work.per_second(now),
                        work.batch_seconds,
                        work.batch_seconds_max,
                    )
                    for (name, generation), work in self._work.items()
                ],
            )
