"""What the keeper does together with the event that says so: destroy or hold data keys; link patients."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import OperationalError
from psycopg import Connection, Error, RawCursor

from tsuzuri.eventlog.appending import Taken, Write, meaning
from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.data_keys import KeyChanged, KeyRing, KeyUse, WrappedKey
from tsuzuri.eventlog.in_doubt import IN_DOUBT_SECONDS, PAUSE_SECONDS, lost
from tsuzuri.eventlog.places import part_of
from tsuzuri.eventlog.sealed_writes import KEYS_IN_FORCE, call, key_parameters, seal_write

FindKeys = Callable[[Connection[Any]], Sequence[UUID]]
"""Looks keys up, in the transaction that destroys them."""


class KeyKeeper:
    """Opens a connection of its own for each thing it does: these are rare, and may take long."""

    def __init__(self, logins: Logins, ring: KeyRing, parts: int) -> None:
        self._logins = logins
        self._ring = ring
        self._parts = parts

    def destroy(self, write: Write, keys: FindKeys) -> None:
        """Destroy the keys that are found and store the event that says so, in one transaction.

        When the key of the event's own stream is among them, the event is sealed under a new one.

        Raises:
            HoldStands: nothing was destroyed.
            eventsourcing.persistence.IntegrityError: the stream has moved on.
            eventsourcing.persistence.OperationalError: it is not known what became of it; send the same again.
        """
        part, owner = part_of(write.owner, self._parts), write.owner
        self._with_event(
            write,
            lambda connection: connection.execute(
                "SELECT destroy_keys(%s::smallint, %s, %s, %s)",
                (part, owner, list(keys(connection)), write.events[0].event_id),
            ),
        )

    def hold(self, write: Write, hold: UUID, *, standing: bool) -> None:
        """Place a hold on the write's owner, or lift it, and store the event that says so. Raises as `destroy`."""
        place = part_of(write.owner, self._parts), write.owner, hold, standing
        self._with_event(
            write, lambda connection: connection.execute("SELECT set_hold(%s::smallint, %s, %s, %s)", place)
        )

    def link(self, write: Write, sets: Sequence[Sequence[UUID]]) -> None:
        """Say which patients are one person, the survivor first, and store the events that say so. Raises as `destroy`.

        *sets*: of all whom it concerns; a set of one is nobody else any more.
        """
        members = [member for one in sets for member in one]
        parts = [part_of(member, self._parts) for member in members]
        self._with_event(
            write,
            lambda connection: connection.execute(
                "SELECT set_linked(%s::smallint[], %s, %s)", (parts, members, [len(one) for one in sets])
            ),
        )

    def _with_event(self, write: Write, begin: Callable[[Connection[Any]], Any]) -> None:
        deadline = time.monotonic() + IN_DOUBT_SECONDS
        while True:
            self._ring.forget(write.streams())
            try:
                with self._logins.connect(LogRole.KEEPER) as connection, connection.transaction():
                    begin(connection)
                    self._append(connection, write)
                return
            except KeyChanged:  # another thread looked the old key up meanwhile
                continue
            except Error as error:
                if told := meaning(error):
                    if isinstance(told, Taken) and self._is_stored(write):
                        return  # by the try before, whose answer was lost
                    if not isinstance(told, KeyChanged):
                        raise told from None
                elif not lost(error) or time.monotonic() > deadline:
                    raise OperationalError("the log cannot be reached now: try again") from error
            finally:
                self._ring.forget(write.streams())
            time.sleep(PAUSE_SECONDS)

    def _append(self, connection: Connection[Any], write: Write) -> None:
        streams = write.streams()
        rows = connection.execute(KEYS_IN_FORCE, key_parameters(streams, self._parts), binary=True).fetchall()
        self._ring.learn(streams, [WrappedKey(*row) for row in rows])
        sealed = [seal_write(write, self._ring, self._parts)]
        sent = call(sealed, self._parts)
        RawCursor(connection).execute(sent.statement, sent.parameters, binary=True)

    def _is_stored(self, write: Write) -> bool:
        place = part_of(write.owner, self._parts), write.events[0].event_id
        with self._logins.connect(LogRole.READER) as connection:
            found = connection.execute("SELECT FROM event WHERE part = %s AND event_id = %s", place)
            return found.fetchone() is not None


def keys_of_owner(part: int, owner: UUID, uses: Sequence[KeyUse]) -> FindKeys:
    """All keys of these uses that an owner has."""

    def find(connection: Connection[Any]) -> Sequence[UUID]:
        rows = connection.execute(
            """SELECT key_id FROM data_key
               WHERE part = %s AND patient_id = %s AND use = ANY (%s) AND wrapped IS NOT NULL""",
            (part, owner, [str(use) for use in uses]),
        ).fetchall()
        return [key for (key,) in rows]

    return find


def keys_of_payloads(part: int, payloads: Sequence[UUID]) -> FindKeys:
    """The keys of these payloads."""

    def find(connection: Connection[Any]) -> Sequence[UUID]:
        rows = connection.execute(
            "SELECT DISTINCT key_id FROM payload WHERE part = %s AND payload_id = ANY (%s)",
            (part, list(payloads)),
        ).fetchall()
        return [key for (key,) in rows]

    return find
