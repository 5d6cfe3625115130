"""Follows the log and hands out notices. Nothing waits for it; what is not delivered is tried until it is."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import structlog
from eventsourcing.persistence import MapperDeserialisationError
from psycopg import Connection, Error

from tsuzuri.app.notices.gathering import TOPICS, EventErased, Gathering
from tsuzuri.app.notices.outlet import NoticeNotTaken, Outlet, OutletDown
from tsuzuri.app.notices.place import RENEW_SECONDS, Lease, move_place, place
from tsuzuri.domain.notices import Notice
from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.following import LoggedEvent, follow, heads
from tsuzuri.eventlog.places import Vector
from tsuzuri.eventlog.sealing import SealBroken

LOOK_SECONDS = 1.0
RETRY_SECONDS, RETRY_SECONDS_MAX = 1.0, 300.0
NOT_TAKEN_SECONDS = 60.0
_BATCH = 200  # events; a kill repeats at most the notices of so many

_log = structlog.get_logger()


@dataclass(frozen=True)
class Sent:
    """What became of one batch, or of several."""

    delivered: int
    waiting: bool  # a notice could not be delivered: its part goes on from there later
    down: bool  # none can be
    more: bool  # there is more to go through at once

    def and_then(self, other: "Sent") -> "Sent":
        return Sent(self.delivered + other.delivered, self.waiting or other.waiting, other.down, other.more)


class Sender:
    """Delivers each notice at least once, those of one part in the order of the log, until it is stopped."""

    def __init__(self, logins: Logins, ring: KeyRing, outlet: Outlet) -> None:
        self.stopping = threading.Event()
        self._logins, self._gathering, self._outlet = logins, Gathering(ring), outlet
        self._lease = Lease()
        self._sends = False
        self._renew_at = 0.0  # on the monotonic clock, like all the others
        self._not_before: dict[int, float] = {}  # parts that wait behind a notice that is not taken
        self._retry_seconds = RETRY_SECONDS

    def run(self) -> None:
        """Blocks. Whatever happens, it connects and begins again: nobody else would notice that it had ended."""
        while not self.stopping.is_set():
            try:
                with self._logins.connect(LogRole.PROJECTOR) as connection:
                    self._renew_at = 0.0
                    while not self.stopping.is_set():
                        self._pause(connection, self._step(connection))
                    self._lease.end(connection)
            except Exception as error:
                _log.warning("notices_wait", **_fault(error))
                self.stopping.wait(self._backed_off())

    def send(self) -> Sent | None:
        """What there is to deliver now, each notice tried once. None: another process sends."""
        with self._logins.connect(LogRole.PROJECTOR) as connection:
            if not self._holds_lease(connection):
                return None
            try:
                upto = heads(connection)
                sent = self._batch(connection, upto)
                while sent.more:
                    sent = sent.and_then(self._batch(connection, self._not_resting(upto)))
            finally:
                if not connection.closed:
                    self._lease.end(connection)
            return sent

    def _step(self, connection: Connection[Any]) -> float:
        """One batch, if this process is the one that sends; how many seconds there is nothing to do afterwards."""
        if not self._holds_lease(connection):
            return RENEW_SECONDS
        sent = self._batch(connection, self._not_resting(heads(connection)))
        if sent.down:
            return self._backed_off()
        self._retry_seconds = RETRY_SECONDS
        return 0.0 if sent.more else LOOK_SECONDS

    def _batch(self, connection: Connection[Any], upto: Vector) -> Sent:
        """The place moves behind what was delivered, and not further, whatever goes wrong behind that."""
        after = place(connection)
        batch = follow(connection, after, upto=upto, topics=TOPICS, limit=_BATCH)
        held: dict[int, int] = {}  # part → its place, in front of what is not delivered
        delivered = erased = 0
        down, fault = False, None
        for logged in batch.events:
            if logged.part in held:
                continue
            if down or self.stopping.is_set() or not self._holds_lease(connection):
                held[logged.part] = logged.pos - 1
                continue
            try:
                notice = self._notice(connection, logged)
                if notice is not None:
                    self._outlet.deliver(notice)
                    delivered += 1
            except EventErased:
                erased += 1
            except NoticeNotTaken as error:
                held[logged.part] = logged.pos - 1
                self._not_before[logged.part] = time.monotonic() + NOT_TAKEN_SECONDS
                _log.error("notice_not_taken", notice=str(logged.event_id), outlet=str(error))
            except OutletDown as error:
                held[logged.part], down = logged.pos - 1, True
                _log.warning("notices_wait", outlet=str(error))
            except Exception as error:
                held[logged.part], down, fault = logged.pos - 1, True, error
        reached = {**batch.covers, **held}
        move_place(connection, after, reached)
        if erased:
            _log.warning("notices_erased", unreadable=erased)
        if fault is not None:
            raise fault
        more = any(reached.get(part, 0) < pos for part, pos in upto.items() if part not in held)
        return Sent(delivered, bool(held), down, more and not down)

    def _notice(self, connection: Connection[Any], logged: LoggedEvent) -> Notice | None:
        """One event that nobody can read must not keep all behind it from being told. Raises EventErased."""
        try:
            return self._gathering.notice(connection, logged)
        except (SealBroken, MapperDeserialisationError) as error:
            _log.error("notice_unreadable", notice=str(logged.event_id), **_fault(error))
            return None

    def _backed_off(self) -> float:
        """How long to wait now: twice as long each time."""
        seconds = self._retry_seconds
        self._retry_seconds = min(2 * seconds, RETRY_SECONDS_MAX)
        return seconds

    def _not_resting(self, upto: Vector) -> Vector:
        now = time.monotonic()
        return {part: pos for part, pos in upto.items() if self._not_before.get(part, 0.0) <= now}

    def _holds_lease(self, connection: Connection[Any]) -> bool:
        if time.monotonic() >= self._renew_at:
            self._sends = self._lease.renew(connection)
            self._renew_at = time.monotonic() + RENEW_SECONDS
        return self._sends

    def _pause(self, connection: Connection[Any], seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.stopping.wait(min(left, RENEW_SECONDS)):
            self._holds_lease(connection)


def _fault(error: Exception) -> dict[str, Any]:
    """For the log: the kind alone. Messages of the driver may repeat what a row holds."""
    return {
        "fault": type(error).__name__,
        "sqlstate": error.sqlstate if isinstance(error, Error) else None,
    }
