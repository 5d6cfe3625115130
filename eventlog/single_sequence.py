"""The library's single sequence of notifications, for a log of one part: there, and only there, positions are one."""

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription

from tsuzuri.eventlog.opened_events import EVENT_COLUMNS

_POLL_SECONDS = 0.1


def select_notifications(
    start: int | None, limit: int, stop: int | None, topics: Sequence[str], inclusive_of_start: bool
) -> tuple[bytes, list[Any]]:
    """Statement and parameters; a row is the position and what `open_event` takes."""
    first = 1 if start is None else start if inclusive_of_start else start + 1
    statement = f"""
        SELECT e.pos, {EVENT_COLUMNS} FROM event e LEFT JOIN data_key k USING (part, key_id)
        WHERE e.part = 0 AND e.pos >= %b AND (%b::bigint IS NULL OR e.pos <= %b)
          AND (cardinality(%b::text[]) = 0 OR e.topic = ANY (%b::text[]))
        ORDER BY e.pos LIMIT %b"""
    return statement.encode(), [first, stop, stop, list(topics), list(topics), limit]


def max_notification_id(rows: Sequence[tuple[Any, ...]]) -> int | None:
    """Of the row of part_head: its position; None for an empty log."""
    return rows[0][0] or None


class PollingSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The library's subscription, which here nobody notifies: it looks by itself."""

    def _loop_on_pull(self) -> None:
        try:
            while not self._has_been_stopped:
                self._pull()
                self._has_been_notified.wait(_POLL_SECONDS)
        except BaseException as error:  # told to whoever iterates, as the library does
            self._thread_error = self._thread_error or error
            self.stop()
