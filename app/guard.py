"""In front of every route: how large a body may be. It asks no token and looks into no body."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tsuzuri.app.edge import EdgeRefused


@dataclass(frozen=True)
class Allowance:
    """Of one route. *told*: what else the sender of a larger body should know."""

    bytes_max: int
    told: Mapping[str, Any] | None = None

    def too_large(self) -> EdgeRefused:
        return EdgeRefused(
            413, "BODY_TOO_LARGE", f"the body is larger than {self.bytes_max} bytes", self.told
        )


class Guard:
    """Pure ASGI. A body is refused by its head where that says enough, else as soon as it is too large.

    What is too large by count ends the handler's reading with EdgeRefused. It bounds no time: TimedConnection does.
    """

    def __init__(self, app: ASGIApp, usual: Allowance, routes: Mapping[str, Allowance]) -> None:
        self._app = app
        self._usual = usual
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        allowance = self._routes.get(scope["path"], self._usual)
        try:
            _check_head(scope["headers"], allowance)
        except EdgeRefused as refused:
            await refused.response()(scope, receive, send)
        else:
            await self._app(scope, _Counted(receive, allowance), send)


def _check_head(headers: Iterable[tuple[bytes, bytes]], allowance: Allowance) -> None:
    for name, value in headers:
        if name == b"content-length":
            if not value.isdigit() or len(value) > 18 or int(value) > allowance.bytes_max:
                raise allowance.too_large()
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise EdgeRefused(415, "BAD_BODY", "send the body without content-encoding")


class _Counted:
    """An ASGI receive that stops when more came than may."""

    __slots__ = ("_allowance", "_came", "_receive")

    def __init__(self, receive: Receive, allowance: Allowance) -> None:
        self._receive = receive
        self._allowance = allowance
        self._came = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if body := message.get("body"):
            self._came += len(body)
            if self._came > self._allowance.bytes_max:
                raise self._allowance.too_large()
        return message
