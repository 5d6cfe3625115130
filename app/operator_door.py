"""A port for those who run the house: /metrics is told there and nowhere else, and no record is."""

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

HERE = frozenset({"/metrics", "/readyz", "/livez"})


class OperatorDoor:
    """ASGI. *port*: the one of TSUZURI_METRICS_ADDRESS, to which the server listens beside its own."""

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._opens(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await Response(status_code=404)(scope, receive, send)

    def _opens(self, scope: Scope) -> bool:
        if scope["server"][1] == self._port:
            return scope["path"] in HERE
        return bool(scope["path"] != "/metrics")
