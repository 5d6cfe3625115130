"""/graphql: GraphQL over HTTP, as bare ASGI. Most of what is asked comes through here.

https://graphql.github.io/graphql-over-http/draft/
"""

from functools import partial

from graphql import OperationType
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry import Schema

from tsuzuri.app.admission import Admission
from tsuzuri.app.edge import EdgeRefused, body_of, caller_of, fault, still_caller_of
from tsuzuri.app.event_stream import EventStream, one_event
from tsuzuri.app.graphql_request import GraphQLRequest, TextOf, got_request, posted_request
from tsuzuri.app.identity import Identity, Presented
from tsuzuri.app.media_types import JSON, RESPONSE_JSON, Accepted, accepted, is_json
from tsuzuri.app.open_streams import OpenStreams
from tsuzuri.app.request_facts import note_caller, note_operation
from tsuzuri.app.tracing import span
from tsuzuri.graphql.compile.planning import Plans
from tsuzuri.graphql.execution import Answer, refused_answer, run, subscribe
from tsuzuri.graphql.preparing import DocumentRefused, prepare

PATH = "/graphql"
BODY_BYTES_MAX = 256 * 1024


class GraphQLEndpoint:
    """An ASGI application below the Guard. `state` of the server in its scope holds the application it asks."""

    def __init__(
        self,
        schema: Schema,
        plans: Plans,
        identity: Identity,
        text_of: TextOf,
        admission: Admission,
        streams: OpenStreams,
    ) -> None:
        """*text_of* says which document a request asks for: the one it brings, or a trusted one that it names."""
        self._schema, self._plans = schema, plans
        self._identity, self._text_of = identity, text_of
        self._admission, self._streams = admission, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp
        takes = accepted(scope["headers"])
        try:
            answer = await self._answer(scope, receive, takes)
        except EdgeRefused as refused:
            answer = refused.response(takes.json or JSON)
        except Exception as error:
            answer = fault(error).response(takes.json or JSON)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, takes: Accepted) -> ASGIApp:
        """Who asks is known before anything that was sent is read. Raises EdgeRefused."""
        method = scope["method"]
        if method not in ("POST", "GET"):
            raise EdgeRefused(
                405, "BAD_METHOD", "send a POST, or a GET for a query", headers={"Allow": "GET, POST"}
            )
        shown = Presented.by(scope["headers"], method, scope.get("raw_path") or scope["path"].encode())
        caller = await caller_of(shown, self._identity)
        note_caller(caller)
        asked = await _asked(scope, receive, takes, self._text_of)
        try:
            with span("prepare"):
                prepared = prepare(self._schema, asked.document, asked.operation_name)
        except DocumentRefused as refused:
            return _told(refused_answer(refused), takes)
        if method == "GET" and prepared.kind is OperationType.MUTATION:
            raise EdgeRefused(405, "BAD_METHOD", "a mutation is sent by POST", headers={"Allow": "POST"})
        cost = prepared.cost(asked.variables)
        note_operation(prepared.sha256, cost)
        state = scope["app"].state
        what = self._schema, state.application, caller, prepared, asked.variables
        if takes.events and prepared.kind is OperationType.SUBSCRIPTION:
            self._admission.charge(caller, cost)
            again = partial(still_caller_of, shown, self._identity)
            return EventStream(self._streams.stream(caller, subscribe(*what)), again, state.closing)
        async with self._admission(caller, cost):
            return _told(await run(*what, plans=self._plans), takes)


async def _asked(scope: Scope, receive: Receive, takes: Accepted, text_of: TextOf) -> GraphQLRequest:
    if takes.json is None and not takes.events:
        raise EdgeRefused(
            406, "BAD_ACCEPT", f"answers are {JSON}, {RESPONSE_JSON} or, of subscriptions, events"
        )
    if scope["method"] == "GET":
        return got_request(scope["query_string"], text_of)
    if not is_json(scope["headers"]):
        raise EdgeRefused(415, "BAD_BODY", "send application/json in UTF-8, and say so in Content-Type")
    return posted_request(await body_of(receive), text_of)


def _told(answer: Answer, takes: Accepted) -> ASGIApp:
    return one_event(answer) if takes.json is None else _Json(answer, takes.json)


class _Json:
    """An answer in one piece. Where the client knows that media type, a request that did not run has status 400."""

    def __init__(self, answer: Answer, media_type: str) -> None:
        self._status = 400 if media_type == RESPONSE_JSON and not answer.executed else 200
        self._headers = [*_HEADERS[media_type], (b"content-length", b"%d" % len(answer.body))]
        self._body = answer.body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


_HEADERS = {
    media_type: (
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    )
    for media_type in (JSON, RESPONSE_JSON)
}
