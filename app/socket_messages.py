"""The messages of graphql-transport-ws, as they come and as they go.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from dataclasses import dataclass
from typing import Any

import orjson

from tsuzuri.app.edge import EdgeRefused
from tsuzuri.app.graphql_request import GraphQLRequest, TextOf, request_of
from tsuzuri.app.json_body import NotAnObject, read_object

MESSAGE_BYTES_MAX = 64 * 1024
ID_LENGTH_MAX = 128
PING, ACKNOWLEDGED = '{"type":"ping"}', '{"type":"connection_ack"}'
PONG = '{"type":"pong"}'


class BadMessage(Exception):
    """Not a message of the protocol; the text is for whoever wrote the client."""


@dataclass(frozen=True)
class Init:
    """`connection_init`: the first message."""

    authorization: str | None  # as the header of this name


@dataclass(frozen=True)
class Subscribe:
    """`subscribe`: begin an operation under an id of the client's."""

    id: str
    asked: GraphQLRequest


@dataclass(frozen=True)
class Complete:
    """`complete`: the client wants no more of an operation."""

    id: str


@dataclass(frozen=True)
class Ping:
    """`ping`: to be answered at once."""


@dataclass(frozen=True)
class Pong:
    """`pong`: the client is there."""


Message = Init | Subscribe | Complete | Ping | Pong


def read_message(text: str, text_of: TextOf) -> Message:
    """*text_of*: as of a request over HTTP. Raises BadMessage."""
    try:
        message = read_object(text.encode())
    except (NotAnObject, UnicodeError):
        raise BadMessage("a message is a JSON object") from None
    payload = message.get("payload")
    match message.get("type"):
        case "connection_init":
            return Init(_authorization(payload))
        case "subscribe":
            return _subscribe(_id(message), payload, text_of)
        case "complete":
            return Complete(_id(message))
        case "ping":
            return Ping()
        case "pong":
            return Pong()
    raise BadMessage("the type of a message is one of graphql-transport-ws that a client sends")


def next_message(id: str, body: bytes) -> str:
    """*body*: a GraphQL response, JSON."""
    return f'{{"id":{_json(id)},"type":"next","payload":{body.decode()}}}'


def error_message(id: str, errors: list[Any]) -> str:
    """The operation ends with it. *errors*: of a GraphQL response."""
    return f'{{"id":{_json(id)},"type":"error","payload":{_json(errors)}}}'


def complete_message(id: str) -> str:
    return f'{{"id":{_json(id)},"type":"complete"}}'


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _id(message: dict[str, Any]) -> str:
    given = message.get("id")
    if not isinstance(given, str) or not 0 < len(given) <= ID_LENGTH_MAX:
        raise BadMessage(f"the id of an operation is text of 1 to {ID_LENGTH_MAX} characters")
    return given


def _authorization(payload: Any) -> str | None:
    given = payload.get("authorization") if isinstance(payload, dict) else None
    if given is not None and not (isinstance(given, str) and given.isascii() and given.isprintable()):
        raise BadMessage('"authorization" is text, as in the header of this name')
    return given


def _subscribe(id: str, payload: Any, text_of: TextOf) -> Subscribe:
    """As the body of a request over HTTP is read."""
    if not isinstance(payload, dict):
        raise BadMessage("the payload of subscribe is an object")
    try:
        return Subscribe(id, request_of(payload, text_of))
    except EdgeRefused as refused:
        raise BadMessage(str(refused)) from None
