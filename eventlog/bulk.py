"""Bulk load: many writes in few transactions, through the same append as one by one, each short enough that the
appends of others go on between them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from eventsourcing.persistence import IntegrityError
from psycopg import Error

from tsuzuri.eventlog.append_call import WriterConnection
from tsuzuri.eventlog.appending import ClaimedElsewhere, NarrowedMeanwhile, Write, meaning
from tsuzuri.eventlog.data_keys import KeyChanged
from tsuzuri.eventlog.places import part_of
from tsuzuri.eventlog.recorder import PackedWrites, PartRecorder
from tsuzuri.eventlog.sealed_writes import SealedWrite

BATCH_SECONDS = 0.05  # the longest that a batch should hold the parts it writes to
_BATCH_BYTES_FIRST = 256 * 1024
_BATCH_BYTES_LEAST, _BATCH_BYTES_MOST = 16 * 1024, 8 * 1024 * 1024
_OF_LIMIT = 0.2  # what is aimed at: no two batches take as long, and long ones are felt by those beside them


@dataclass(frozen=True)
class NotStored:
    """A write of a batch of which nothing was stored, through its own fault or another's: decide it anew by itself."""

    why: Exception


Outcome = NotStored | None
"""None: the write is stored."""


class BulkAppender:
    """Appends batch after batch; their size follows the time that the last ones took.

    While the server works on one batch, the answer of the one before is taken in and the next is packed.
    """

    def __init__(self, recorder: PartRecorder) -> None:
        self._recorder = recorder
        self._bytes = float(_BATCH_BYTES_FIRST)

    def append(self, writes: Sequence[Write]) -> list[Outcome]:
        """What became of each write. Those of one owner are stored in their order, or a later one is not stored.

        Raises eventsourcing.persistence.OperationalError: it is not known which of them are stored; send them again.
        """
        parts = [part_of(write.owner, self._recorder.parts) for write in writes]
        order = sorted(range(len(writes)), key=parts.__getitem__)
        found = self.append_sealed(self._recorder.seal([writes[place] for place in order]))
        by_place = dict(zip(order, found, strict=True))
        return [by_place[place] for place in range(len(writes))]

    def append_sealed(self, writes: Sequence[SealedWrite]) -> list[Outcome]:
        """As `append`, of writes that are sealed and sorted by part."""
        outcomes: list[Outcome] = []
        while len(outcomes) < len(writes):
            try:
                with self._recorder.writers.connection() as connection:
                    self._send_on(connection, writes, outcomes)
            except Error:  # what was under way is sent again by itself, until it is known what became of it
                rest = writes[len(outcomes) :]
                outcomes += self._settled(rest[: self._fitting(rest)])
        return outcomes

    def _send_on(
        self, connection: WriterConnection, writes: Sequence[SealedWrite], outcomes: list[Outcome]
    ) -> None:
        """Send one batch after the other over one connection, until none is left. Raises psycopg.Error."""
        rest = writes[len(outcomes) :]
        following, answered = self._next(rest), None
        while following is not None:
            began, batch = time.monotonic(), following
            connection.send(batch.call.statement, batch.call.parameters)
            if answered is not None:
                outcomes += self._stored(answered)
                answered = None
            rest = rest[len(batch.writes) :]
            following = self._next(rest)
            try:
                connection.answer()
            except Error as error:
                if meaning(error) is None:
                    raise
                outcomes += self._settled(batch.writes)
            else:
                answered = batch
                self._learn(batch, time.monotonic() - began)
        if answered is not None:
            outcomes += self._stored(answered)

    def _next(self, writes: Sequence[SealedWrite]) -> PackedWrites | None:
        return self._recorder.packed(writes[: self._fitting(writes)]) if writes else None

    def _fitting(self, writes: Sequence[SealedWrite]) -> int:
        """How many of them, from the first on, may go at once: one at least."""
        weight = 0
        for number, write in enumerate(writes):
            weight += write.bytes
            if weight > self._bytes and number > 0:
                return number
        return len(writes)

    def _stored(self, batch: PackedWrites) -> list[Outcome]:
        self._recorder.keys_stored(batch.writes)
        return [None] * len(batch.writes)

    def _settled(self, writes: Sequence[SealedWrite]) -> list[Outcome]:
        try:
            self._recorder.append_sealed(writes)
            return [None] * len(writes)
        except (IntegrityError, ClaimedElsewhere, KeyChanged, NarrowedMeanwhile) as error:
            return [NotStored(error)] * len(writes)

    def _learn(self, batch: PackedWrites, took: float) -> None:
        fitting = sum(write.bytes for write in batch.writes) * _OF_LIMIT * BATCH_SECONDS / max(took, 1e-4)
        self._bytes = min(max((self._bytes + fitting) / 2, _BATCH_BYTES_LEAST), _BATCH_BYTES_MOST)
