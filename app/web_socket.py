"""Subscriptions over a WebSocket: graphql-transport-ws, and no other protocol.

Queries and mutations are refused here: they have one way in, POST /graphql, with one set of limits before it.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry import Schema

from tsuzuri.app.edge import EdgeRefused, caller_of, fault, refusal, still_caller_of
from tsuzuri.app.ending import ended
from tsuzuri.app.graphql_request import TextOf
from tsuzuri.app.identity import Identity, Presented
from tsuzuri.app.open_streams import OpenStreams
from tsuzuri.app.socket_messages import (
    ACKNOWLEDGED,
    MESSAGE_BYTES_MAX,
    PING,
    PONG,
    BadMessage,
    Complete,
    Init,
    Message,
    Ping,
    Subscribe,
    complete_message,
    error_message,
    next_message,
    read_message,
)
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.context import Application
from tsuzuri.graphql.execution import Answer, refused_answer, subscribe
from tsuzuri.graphql.preparing import DocumentRefused, prepare

PROTOCOL = "graphql-transport-ws"
_GOODBYE_SECONDS = 1.0  # to a client that does not read

GOING_AWAY, NOT_TEXT, POLICY, TOO_LARGE, FAULT = 1001, 1003, 1008, 1009, 1011  # RFC 6455, 7.4.1
BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN, NO_PROTOCOL = 4400, 4401, 4403, 4406  # of the protocol
TOO_LATE, TAKEN, INIT_AGAIN = 4408, 4409, 4429
_ID_SHOWN = 40  # a reason has at most 123 bytes


@dataclass(frozen=True, kw_only=True)
class SocketLimits:
    init_seconds: float = 5.0  # until a client has said who it is
    keep_alive_seconds: float = 15.0
    lifetime_seconds: float = 3_600.0
    subscriptions_max: int = 10
    messages_max: int = 200  # between two keep-alives


class _Closed(Exception):
    """The conversation ends, with a code and a reason for the client."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Sockets:
    """Those of one server. *origins*: of which web pages may open one; others than browsers say no origin."""

    def __init__(
        self,
        schema: Schema,
        identity: Identity,
        text_of: TextOf,
        streams: OpenStreams,
        origins: frozenset[str],
        limits: SocketLimits,
    ) -> None:
        self.schema, self.identity, self.text_of = schema, identity, text_of
        self.streams, self.origins, self.limits = streams, origins, limits

    async def serve(self, socket: WebSocket) -> None:
        """One socket, from its opening to its end. A refused origin is answered 403 and opens none."""
        origin = socket.headers.get("origin")
        if origin is not None and origin not in self.origins:
            await socket.close()
            return
        spoken = PROTOCOL in socket.scope["subprotocols"]
        await socket.accept(PROTOCOL if spoken else None)
        if not spoken:
            await socket.close(NO_PROTOCOL, f"Subprotocol not acceptable: this server speaks {PROTOCOL}")
            return
        await _Conversation(self, socket).hold()


class _Conversation:
    """With one client."""

    def __init__(self, sockets: Sockets, socket: WebSocket) -> None:
        self._sockets, self._limits, self._socket = sockets, sockets.limits, socket
        self._application: Application = socket.app.state.application
        self._shown = _shown(socket, None)
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._heard = 0  # messages since the last keep-alive
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hold(self) -> None:
        """Until either side ends it; nothing of it runs any more then."""
        closing = asyncio.create_task(self._socket.app.state.closing.wait())
        talking = asyncio.create_task(self._talk())
        tasks: set[asyncio.Future[Any]] = {closing, talking, self._ended}
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=self._limits.lifetime_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            why = _why(done & {talking, self._ended}, closing=closing.done())
        finally:
            await ended([*tasks, *self._operations.values()])
        if why is not None:
            with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                await asyncio.wait_for(self._socket.close(why.code, why.reason), _GOODBYE_SECONDS)

    async def _talk(self) -> None:
        """Returns when the client has gone. Raises _Closed."""
        try:
            caller = await self._introduced()
            with self._sockets.streams.socket(caller):
                await self._socket.send_text(ACKNOWLEDGED)
                keeping = asyncio.create_task(self._ending(self._keep_alive()))
                try:
                    while True:
                        await self._answer(caller, await self._next())
                finally:
                    await ended([keeping])
        except EdgeRefused as refused:
            raise _Closed(POLICY if refused.status == 429 else FORBIDDEN, str(refused)) from None
        except WebSocketDisconnect:
            return

    async def _introduced(self) -> Caller:
        """Who the client is, by the token in its first message, or in the request that opened the socket."""
        try:
            async with asyncio.timeout(self._limits.init_seconds):
                while not isinstance(message := await self._next(), Init):
                    if isinstance(message, Subscribe):
                        raise _Closed(UNAUTHORIZED, "Unauthorized: connection_init comes first")
                    if isinstance(message, Ping):
                        await self._socket.send_text(PONG)
        except TimeoutError:
            raise _Closed(TOO_LATE, "Connection initialisation timeout") from None
        self._shown = _shown(self._socket, message.authorization)
        return await caller_of(self._shown, self._sockets.identity)

    async def _next(self) -> Message:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        self._heard += 1
        if self._heard > self._limits.messages_max:
            raise _Closed(POLICY, "too many messages in so short a time")
        text = received.get("text")
        if text is None:
            raise _Closed(NOT_TEXT, "messages are text")
        if len(text) > MESSAGE_BYTES_MAX:
            raise _Closed(TOO_LARGE, f"a message has at most {MESSAGE_BYTES_MAX} bytes")
        try:
            return read_message(text, self._sockets.text_of)
        except BadMessage as bad:
            raise _Closed(BAD_MESSAGE, f"Bad message: {bad}") from None

    async def _answer(self, caller: Caller, message: Message) -> None:
        match message:
            case Init():
                raise _Closed(INIT_AGAIN, "Too many initialisation requests")
            case Subscribe(id=id) if id in self._operations:
                raise _Closed(TAKEN, f"Subscriber for {id[:_ID_SHOWN]} already exists")
            case Subscribe(id=id):
                self._operations[id] = asyncio.create_task(self._ending(self._operate(caller, message)))
            case Complete(id=id):
                if (operation := self._operations.pop(id, None)) is not None:
                    await ended([operation])
            case Ping():
                await self._socket.send_text(PONG)

    async def _operate(self, caller: Caller, asked: Subscribe) -> None:
        try:
            await self._tell(caller, asked)
            last = complete_message(asked.id)
        except DocumentRefused as refused:
            last = error_message(asked.id, _errors(refused_answer(refused)))
        except EdgeRefused as refused:
            last = error_message(asked.id, refusal(refused.code, str(refused))["errors"])
        except (_Closed, WebSocketDisconnect):
            raise
        except Exception as error:
            hidden = fault(error)
            last = error_message(asked.id, refusal(hidden.code, str(hidden))["errors"])
        self._operations.pop(asked.id, None)  # before it is said: the id is free again
        await self._socket.send_text(last)

    async def _tell(self, caller: Caller, asked: Subscribe) -> None:
        if len(self._operations) > self._limits.subscriptions_max:
            most = f"a socket has at most {self._limits.subscriptions_max} subscriptions"
            raise EdgeRefused(429, "TOO_MANY_STREAMS", f"{most}: complete one first")
        schema, request = self._sockets.schema, asked.asked
        prepared = prepare(schema, request.document, request.operation_name)
        if prepared.kind is not OperationType.SUBSCRIPTION:
            raise EdgeRefused(400, "POST_NEEDED", "queries and mutations are asked with POST /graphql")
        answers = subscribe(schema, self._application, caller, prepared, request.variables)
        async with aclosing(self._sockets.streams.stream(caller, answers)) as counted:
            async for answer in counted:
                await self._check()
                await self._socket.send_text(next_message(asked.id, answer.body))

    async def _keep_alive(self) -> None:
        silent = 0
        while silent < 2:
            await asyncio.sleep(self._limits.keep_alive_seconds)
            silent = 0 if self._heard else silent + 1
            self._heard = 0
            await self._check()
            await self._socket.send_text(PING)
        raise _Closed(GOING_AWAY, "nothing was heard of you: connect again")

    async def _check(self) -> None:
        """Raises _Closed: the token is not valid any more."""
        try:
            await still_caller_of(self._shown, self._sockets.identity)
        except EdgeRefused as refused:
            raise _Closed(UNAUTHORIZED, f"Unauthorized: {refused}") from None

    async def _ending(self, work: Coroutine[Any, Any, None]) -> None:
        """What ends it ends the whole conversation."""
        try:
            await work
        except (_Closed, WebSocketDisconnect) as ended:
            if not self._ended.done():
                self._ended.set_exception(ended)


def _why(done: set[asyncio.Future[Any]], *, closing: bool) -> _Closed | None:
    """What the client is told; None when it has gone."""
    if not done:
        reason = "the server is ending" if closing else "this socket is old"
        return _Closed(GOING_AWAY, f"{reason}: connect again")
    match done.pop().exception():
        case _Closed() as closed:
            return closed
        case None | WebSocketDisconnect():
            return None
        case Exception() as error:
            return _Closed(FAULT, str(fault(error)))
    return None


def _shown(socket: WebSocket, authorization: str | None) -> Presented:
    """What the request that opened the socket brings, with another Authorization when one was given since."""
    scope = socket.scope
    shown = Presented.by(scope["headers"], "GET", scope.get("raw_path") or scope["path"].encode())
    return shown if authorization is None else shown._replace(authorization=(authorization,))


def _errors(answer: Answer) -> list[Any]:
    errors: list[Any] = orjson.loads(answer.body)["errors"]
    return errors
