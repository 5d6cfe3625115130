"""Who sends a request, its body, and what is said of one that goes no further: the same for every route."""

from collections.abc import Mapping
from typing import Any

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import Receive

from tsuzuri.app.identity import Identity, Presented, StepUpNeeded
from tsuzuri.app.proofs import PROOF_ALGORITHMS
from tsuzuri.app.proofs_seen import StoreUnavailable
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.token_keys import KeysUnavailable
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.failures import places
from tsuzuri.graphql.request_ids import current_request_id

_HOW = "WWW-Authenticate"
_CHALLENGE = f'Bearer, DPoP algs="{" ".join(PROOF_ALGORITHMS)}"'
_UNRECOGNISED = (TokenRefused, StepUpNeeded, KeysUnavailable, StoreUnavailable)
_log = structlog.get_logger()


class EdgeRefused(Exception):
    """A request that goes no further; status, code, message and *headers* go to the client."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details
        self.headers = headers or {}

    def response(self, media_type: str = "application/json") -> Response:
        headers = {"Cache-Control": "no-store", **self.headers}
        body = refusal(self.code, str(self), self.details)
        return JSONResponse(body, self.status, headers, f"{media_type}; charset=utf-8")


def refusal(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As a GraphQL response."""
    return {"errors": [{"message": message, "extensions": {"code": code, **(details or {})}}]}


def fault(error: Exception) -> EdgeRefused:
    """A fault of ours, logged by kind and place; the client gets the id that it is logged under."""
    request_id = current_request_id()
    _log.error("request_fault", request_id=request_id, fault=type(error).__name__, at=places(error))
    return EdgeRefused(
        500, "INTERNAL", f"something went wrong on our side; quote {request_id} when you report it"
    )


Shown = HTTPConnection | Presented
"""A request, a WebSocket, or what came in another way than in headers to say who sends it."""


async def caller_of(shown: Shown, identity: Identity) -> Caller:
    """Who sends this, by its token and proof. Every one that does not hold gets the same answer. Raises EdgeRefused."""
    try:
        return await identity.caller(_presented(shown))
    except _UNRECOGNISED as error:
        raise _told(error) from None


async def still_caller_of(shown: Shown, identity: Identity) -> Caller:
    """Who sent what goes on: asked before each further answer. Raises EdgeRefused."""
    try:
        return await identity.still_caller(_presented(shown))
    except _UNRECOGNISED as error:
        raise _told(error) from None


def _presented(shown: Shown) -> Presented:
    if isinstance(shown, Presented):
        return shown
    scope = shown.scope
    path = scope.get("raw_path") or scope["path"].encode()
    return Presented.by(scope["headers"], scope.get("method", "GET"), path)  # a WebSocket begins as a GET


def _told(error: Exception) -> EdgeRefused:
    """What a caller hears of it. The reason is for the log, which gets its kind alone."""
    match error:
        case StepUpNeeded():
            _log.info("token_refused", reason="a second factor is asked for")
            challenge = (
                f'{error.scheme} error="insufficient_user_authentication", error_description="{error}"'
            )
            challenge += f', acr_values="{" ".join(error.acr_values)}"' if error.acr_values else ""
            return EdgeRefused(401, "INSUFFICIENT_USER_AUTHENTICATION", str(error), headers={_HOW: challenge})
        case TokenRefused():
            _log.info("token_refused", reason=str(error))
            return EdgeRefused(
                401, "UNAUTHENTICATED", "a valid bearer token is needed", headers={_HOW: _CHALLENGE}
            )
        case _:
            _log.error("callers_unrecognised", fault=type(error).__name__)
            later = {"Retry-After": "10"}
            return EdgeRefused(
                503, "IDENTITY_UNAVAILABLE", "nobody can be recognised for now: try again", headers=later
            )


async def body_of(receive: Receive) -> bytes:
    """The whole body, as far as the Guard lets it come. Raises EdgeRefused."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise EdgeRefused(400, "BAD_BODY", "the body ended early")
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
