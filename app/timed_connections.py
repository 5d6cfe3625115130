"""A connection on which requests come in time: uvicorn alone waits for a head, and for a body, as long as it takes."""

from asyncio import TimerHandle, Transport
from enum import Enum, auto
from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_SECONDS = 10.0
HEAD_BYTES_MAX = 64 * 1024  # beyond the piece that it begins in; the parser would keep any number
BODY_SECONDS = 10.0
BODY_BYTES_A_SECOND = 64 * 1024  # each of these that came gives a second more, while nobody has answered


class _Awaited(Enum):
    HEAD = auto()
    BODY = auto()
    NOTHING = auto()  # a request is here whole; between two of them uvicorn's keep-alive runs


class TimedConnection(HttpToolsProtocol):
    """Give it to uvicorn as `http`. Who is too slow is told 408, whose head is too large 431; both are hung up on.

    A request that comes in one piece starts no timer. What is being answered is not disturbed by what comes after it.
    """

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer: TimerHandle | None = None
        self._await(_Awaited.HEAD)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._new = False
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # a WebSocket by now
            self._unwatch()
            return
        if (
            self._awaited is _Awaited.NOTHING and self._idle
        ):  # a line end, say: no head, and no keep-alive any more
            self._await(_Awaited.HEAD)
        if self._awaited is _Awaited.NOTHING:
            self._unwatch()
            return
        self._came += 0 if self._new else len(data)
        if self._awaited is _Awaited.HEAD and self._came > HEAD_BYTES_MAX:
            self._hang_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await(_Awaited.HEAD)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._await(_Awaited.BODY)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._awaited = _Awaited.NOTHING

    def _await(self, awaited: _Awaited) -> None:
        self._awaited = awaited
        self._since, self._came, self._new = self.loop.time(), 0, True

    @property
    def _idle(self) -> bool:
        return self._answered and self.timeout_keep_alive_task is None

    @property
    def _answered(self) -> bool:
        """Whatever was asked; also when nothing was."""
        return cast(object, self.cycle) is None or self.cycle.response_complete

    def _deadline(self) -> float:
        if self._awaited is _Awaited.HEAD:
            return self._since + HEAD_SECONDS
        more = 0.0 if self._answered else self._came / BODY_BYTES_A_SECOND
        return self._since + BODY_SECONDS + more

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline(), self._look)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._awaited is _Awaited.HEAD and not self._answered:
            self._since = self.loop.time()  # the one before it is still being answered
        if self.loop.time() < self._deadline():
            self._watch()
        else:
            self._hang_up(HTTPStatus.REQUEST_TIMEOUT)

    def _hang_up(self, status: HTTPStatus) -> None:
        """Tells why, unless nothing was asked or an answer has begun."""
        self._unwatch()
        asked = self._awaited is _Awaited.BODY or self._came > 0 or cast(object, self.scope) is not None
        begun = self._awaited is _Awaited.BODY and self.cycle.response_started
        if asked and not begun:
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
