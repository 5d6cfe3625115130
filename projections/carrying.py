"""The payloads that the events of a batch carry, fetched some at a time in the order in which they are needed."""

from collections.abc import Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg import Connection

from tsuzuri.eventlog.data_keys import KeyRing, WrappedKey
from tsuzuri.eventlog.sealed_events import unseal_payload
from tsuzuri.eventlog.sealing import SealBroken
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.opening import Opened

BATCH_BYTES = 16 * 1024 * 1024  # of payloads in one batch, which bounds the projector's memory
_WINDOW_BYTES = 4 * 1024 * 1024
_WINDOW_PAYLOADS = 5_000


class Carrying:
    """The payloads of *opened*, which are folded in this order."""

    def __init__(
        self, connection: Connection[Any], ring: KeyRing, projection: Projection, opened: Sequence[Opened]
    ) -> None:
        self._connection = connection
        self._ring = ring
        self._wanted = {
            one.logged.event_id: [(one.logged.part, payload) for payload in projection.payloads(one.event)]
            for one in opened
        }
        self._sizes = self._look_up_sizes()
        self._found: dict[UUID, bytes | None] = {}  # None: broken

    def bytes_of(self, event_id: UUID) -> int:
        """What an event's payloads weigh in memory."""
        return sum(self._sizes.get(payload, 0) for _, payload in self._wanted.get(event_id, ()))

    def of(self, one: Opened) -> dict[UUID, bytes]:
        """Those of one event that can still be read. Raises SealBroken."""
        there = [payload for _, payload in self._wanted[one.logged.event_id] if payload in self._sizes]
        if any(payload not in self._found for payload in there):
            self._fetch_from(one.logged.event_id)
        bodies = {payload: self._found[payload] for payload in there if payload in self._found}
        if None in bodies.values():
            raise SealBroken("a payload was changed, or belongs elsewhere")
        return bodies  # type: ignore[return-value]  # no None among them

    def _look_up_sizes(self) -> dict[UUID, int]:
        """Of the payloads that are there and whose keys are; an erased one weighs nothing and is never asked for."""
        wanted = [one for payloads in self._wanted.values() for one in payloads]
        if not wanted:
            return {}
        parts, ids = zip(*wanted, strict=True)
        found = self._connection.execute(
            """SELECT payload_id, size FROM unnest(%b::smallint[], %b::uuid[]) AS w (part, payload_id)
               JOIN payload USING (part, payload_id) JOIN data_key USING (part, key_id) WHERE wrapped IS NOT NULL""",
            (list(parts), list(ids)),
            binary=True,
        )
        return dict(found.fetchall())

    def _fetch_from(self, event_id: UUID) -> None:
        """The payloads of this event and of those behind it, as many as the window holds."""
        self._found = {}
        wanted: list[tuple[int, UUID]] = []
        weight = 0
        begin = list(self._wanted).index(event_id)
        for payloads in islice(self._wanted.values(), begin, None):
            for part, payload in payloads:
                wanted.append((part, payload))
                weight += self._sizes.get(payload, 0)
            if weight > _WINDOW_BYTES or len(wanted) > _WINDOW_PAYLOADS:
                break
        parts, ids = zip(*wanted, strict=True)
        found = self._connection.execute(
            """SELECT p.payload_id, p.body, p.key_id, k.patient_id, k.use, k.epoch, k.wrapped
               FROM unnest(%b::smallint[], %b::uuid[]) AS w (part, payload_id)
               JOIN payload p USING (part, payload_id) JOIN data_key k USING (part, key_id)""",
            (list(parts), list(ids)),
            binary=True,
        )
        for payload, body, *key in found:
            if (secret := self._ring.secret(WrappedKey(*key))) is not None:
                try:
                    self._found[payload] = unseal_payload(secret, payload, body)
                except SealBroken:
                    self._found[payload] = None
