"""GraphQL over Server-Sent Events in "distinct connections mode": a response is one operation.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tsuzuri.app.edge import EdgeRefused, fault, refusal
from tsuzuri.app.ending import ended
from tsuzuri.app.media_types import EVENTS
from tsuzuri.app.open_streams import Answers
from tsuzuri.graphql.execution import Answer

KEEP_ALIVE_SECONDS = 15.0  # proxies cut a line on which nothing comes, the strict ones after half a minute
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # else nginx keeps events back
_COMPLETE = b"event: complete\ndata:\n\n"  # without a line of data a browser drops the event
_KEEP_ALIVE = b":\n\n"


def one_event(answer: Answer) -> Response:
    """The whole stream of an operation that has one answer."""
    return Response(_next(answer.body) + _COMPLETE, headers=_HEADERS, media_type=EVENTS)


class EventStream(Response):
    """Each answer as it comes, and a comment when nothing came for a while.

    It ends with the answers; when *check* raises EdgeRefused, which is asked before each of them and each comment; and
    when *closing* is set, because the server ends. The client is told why. A client that goes away ends it at once.
    """

    def __init__(
        self,
        answers: Answers,
        check: Callable[[], Awaitable[object]],
        closing: asyncio.Event,
        *,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self.status_code, self.media_type, self.background = 200, EVENTS, None
        self.init_headers(_HEADERS)  # a length is not among them: there is no body yet
        self._answers = answers
        self._check = check
        self._closing = closing
        self._keep_alive_seconds = keep_alive_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        last = await self._told(receive, send)
        await send({"type": "http.response.body", "body": last, "more_body": False})

    async def _told(self, receive: Receive, send: Send) -> bytes:
        """Tells until there is a reason to end; what is to be said at last. Nothing of it runs any more then."""
        telling = asyncio.create_task(self._tell(send))
        keeping = asyncio.create_task(self._keep_alive(send))
        closing = asyncio.create_task(self._closing.wait())
        gone = asyncio.create_task(_disconnected(receive))
        tasks: set[asyncio.Task[Any]] = {telling, keeping, closing, gone}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(tasks)
        try:
            for task in done & {telling, keeping}:
                task.result()
        except EdgeRefused as refused:
            return _refused(refused)
        except Exception as error:
            return _refused(fault(error))
        if closing in done and telling not in done:
            return _refused(EdgeRefused(503, "SERVER_ENDING", "the server is ending: ask again"))
        return _COMPLETE

    async def _tell(self, send: Send) -> None:
        async with aclosing(self._answers):
            async for answer in self._answers:
                await self._check()
                await _send(send, _next(answer.body))

    async def _keep_alive(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_seconds)
            await self._check()
            await _send(send, _KEEP_ALIVE)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})


def _next(body: bytes) -> bytes:
    return b"event: next\ndata: " + body + b"\n\n"


def _refused(refused: EdgeRefused) -> bytes:
    return _next(orjson.dumps(refusal(refused.code, str(refused)))) + _COMPLETE
