"""What a body may be, before anything reads it, and who sends it: the same for every route."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from tsuzuri.app.tokens import TOKEN_BYTES_MAX, TokenChecker, TokenRefused
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.failures import places

GRAPHQL_BODY_BYTES_MAX = 256 * 1024
_log = structlog.get_logger()


class EdgeRefused(Exception):
    """A request that goes no further; status, code and message go to the client."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details

    def response(self) -> Response:
        headers = {"Cache-Control": "no-store"}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(refusal(self.code, str(self), self.details), self.status, headers)


def refusal(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As a GraphQL response."""
    return {"errors": [{"message": message, "extensions": {"code": code, **(details or {})}}]}


def fault(error: Exception) -> EdgeRefused:
    """A fault of ours, logged by kind and place; the client gets the id that it is logged under."""
    request_id = str(uuid4())
    _log.error("request_fault", request_id=request_id, fault=type(error).__name__, at=places(error))
    return EdgeRefused(
        500, "INTERNAL", f"something went wrong on our side; quote {request_id} when you report it"
    )


def caller_of(request: Request, checker: TokenChecker) -> Caller:
    """Who the bearer token says. Every broken token gets the same answer. Raises EdgeRefused."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer" or len(token) > TOKEN_BYTES_MAX:
            raise TokenRefused("no bearer token")
        return checker.caller(token)
    except TokenRefused:
        raise EdgeRefused(401, "UNAUTHENTICATED", "a valid bearer token is needed") from None


async def body_of(request: Request, limit: int, told: Mapping[str, Any] | None = None) -> bytes:
    """The whole body, uncompressed, at most *limit* bytes; nothing beyond it is read. Raises EdgeRefused.

    *told*: what else the sender of a larger one should know.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise EdgeRefused(415, "BAD_BODY", "send the body without content-encoding")
    too_large = EdgeRefused(413, "BODY_TOO_LARGE", f"the body is larger than {limit} bytes", told)
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > limit:
        raise too_large
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                raise too_large
    except ClientDisconnect:
        raise EdgeRefused(400, "BAD_BODY", "the body ended early") from None
    return bytes(body)


def graphql_request(body: bytes) -> tuple[str, dict[str, object] | None, str | None]:
    """Document, variables and operation name of a GraphQL request: one JSON object. Raises EdgeRefused."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise EdgeRefused(400, "BAD_BODY", "the body is not JSON in UTF-8") from None
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        raise EdgeRefused(400, "BAD_BODY", 'the body is one object with "query", a GraphQL document')
    variables, name = request.get("variables"), request.get("operationName")
    if not (variables is None or isinstance(variables, dict)) or not (name is None or isinstance(name, str)):
        raise EdgeRefused(400, "BAD_BODY", '"variables" is an object, "operationName" is text')
    return request["query"], variables, name
