"""A reply that is lost after the commit is read back by event id: never doubled, never told as a conflict."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from log_examples import an_owner, listed, opened_log, save, trail_read
from tsuzuri.eventlog.places import Place


class Line:
    """A line to the server, byte for byte. Once armed, the first reply after an event is stored is lost with it."""

    def __init__(self, dsn: str):
        self.dsn = dsn
        self.armed = False
        self.lost = 0
        self.one_at_a_time = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def leads_to_server(self) -> str:
        return make_conninfo(self.dsn, host="127.0.0.1", port=self.listener.getsockname()[1])

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # closed: the test is over
            server = self._server()
            threading.Thread(target=self._carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, True), daemon=True).start()

    def _server(self) -> socket.socket:
        where = conninfo_to_dict(self.dsn)
        host, port = str(where["host"]), int(where.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _carry(self, source: socket.socket, target: socket.socket, replies: bool) -> None:
        try:
            while data := source.recv(65536):
                if replies and self._loses_it():
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _loses_it(self) -> bool:
        """One reply, once: many lines carry at the same time."""
        with self.one_at_a_time:
            if not (self.armed and self._something_is_stored()):
                return False
            self.armed = False
            self.lost += 1
            return True

    def _something_is_stored(self) -> bool:
        with Connection.connect(self.dsn) as own:
            return own.execute("SELECT FROM event LIMIT 1").fetchone() is not None


@contextmanager
def lossy(dsn: str) -> Iterator[Line]:
    line = Line(dsn)
    try:
        yield line
    finally:
        line.listener.close()


def test_an_append_whose_reply_is_lost_is_stored_once_and_answered(
    dsn: str, connection: Connection[Any]
) -> None:
    events = [listed(an_owner(1), 1), trail_read(an_owner(2)), listed(an_owner(1), 2)]
    with lossy(dsn) as line, opened_log(line.leads_to_server) as log:
        line.armed = True

        places = save(log, *events)

        assert line.lost == 1
        assert places == [Place(1, 1), Place(2, 1), Place(1, 2)]
    stored = connection.execute("SELECT event_id FROM event ORDER BY part, pos").fetchall()
    assert stored == [(event.event_id,) for event in (events[0], events[2], events[1])]


def test_a_conflict_is_still_told_when_the_line_is_bad(dsn: str) -> None:
    with lossy(dsn) as line, opened_log(line.leads_to_server) as log:
        save(log, listed(an_owner(1), 1))
        line.armed = True

        with pytest.raises(IntegrityError):
            save(log, listed(an_owner(1), 1))

        assert line.lost == 1
        assert save(log, listed(an_owner(1), 2)) == [Place(1, 2)]
