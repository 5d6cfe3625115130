"""HTTP: the GraphQL endpoint, the intake of raw Bundles, attached files, whether we are well. It decides nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.broken_rules import broken_rules
from tsuzuri.app.edge import (
    GRAPHQL_BODY_BYTES_MAX,
    EdgeRefused,
    body_of,
    caller_of,
    fault,
    graphql_request,
)
from tsuzuri.app.event_stream import EventStream, one_event, takes_events, takes_only_events
from tsuzuri.app.metrics import metrics
from tsuzuri.app.projector import LAG_SECONDS_MAX
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.app.tokens import token_checker
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES
from tsuzuri.domain.rules.checking import too_large
from tsuzuri.domain.rules.policies import policy_named
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.attachments import ROUTE, read_attachment
from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.documents import is_subscription
from tsuzuri.graphql.execution import execute, subscribe
from tsuzuri.graphql.schema import build_schema, schema_sha256

_ATTACHED = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STATUS = {"FORBIDDEN": 403, "BUNDLE_REJECTED": 422, "BUSY": 409, "LOG_UNAVAILABLE": 503}

Handler = Callable[[Request], Awaitable[Response]]


def build_server(settings: Settings, dsn: str) -> Starlette:
    """The ASGI application on one database. Raises tsuzuri.app.settings.SettingsWrong.

    Who serves it sets `state.closing` when the server ends, before it waits for its connections: open streams end then.
    """
    checker = token_checker(settings)
    schema = build_schema()
    digest = schema_sha256(schema)
    beyond = {"broken": broken_rules(too_large(policy_named(settings.rules, settings.rule_severities)))}

    @contextlib.asynccontextmanager
    async def lifespan(server: Starlette) -> AsyncIterator[None]:
        async with services(settings, dsn, reader_processes=1) as opened:
            server.state.application = TsuzuriApplication(opened, digest)
            yield

    async def graphql(request: Request) -> Response:
        """A JSON answer, or a stream of events where the client asks for one."""
        caller = caller_of(request, checker)
        document, variables, name = graphql_request(await body_of(request, GRAPHQL_BODY_BYTES_MAX))
        asked = schema, _application(request), caller, document, variables, name
        if takes_events(request) and is_subscription(document, name):
            answers, closing = subscribe(*asked), request.app.state.closing
            return EventStream(answers, lambda: caller_of(request, checker), closing)
        answer = await execute(*asked)
        return one_event(answer) if takes_only_events(request) else _json(answer)

    async def bundles(request: Request) -> Response:
        """POST a FHIR Bundle: 201 registered, 200 for any other outcome, 422 with place and reason.

        ?oral-consent=true: the patient told the sender that the recipient of this referral may read it.
        """
        caller = caller_of(request, checker)
        if caller.role is not Role.SYSTEM:  # said before up to 10 MB are taken in
            raise EdgeRefused(403, "FORBIDDEN", "only a facility's own system registers Bundles")
        oral = _yes(request, "oral-consent")
        body = await body_of(request, SIZE_MAX_BYTES + 1, beyond)
        try:
            registered = await _application(request).register_bundle(caller, body, oral_consent=oral)
        except RequestRefused as refused:
            status = _STATUS.get(refused.code, 400)
            raise EdgeRefused(status, refused.code, str(refused), refused.details) from None
        answer = {
            "outcome": registered.outcome,
            "document": str(registered.document),
            "kind": registered.kind,
            "entries": registered.entries,
            "warnings": list(registered.warnings),
        }
        return _json(answer, 201 if registered.outcome == "REGISTERED" else 200)

    async def attachment(request: Request) -> Response:
        """GET a file that a document carries. 404 for whatever reason it is not to be had: none is told apart."""
        caller = caller_of(request, checker)
        document, number = request.path_params["document"], request.path_params["number"]
        token = request.query_params.get("token", "")
        try:
            file = await read_attachment(_application(request), caller, document, number, token)
        except RequestRefused as refused:
            raise EdgeRefused(_STATUS.get(refused.code, 400), refused.code, str(refused)) from None
        if file is None:
            raise EdgeRefused(404, "NOT_AVAILABLE", "there is no such attachment that you may see")
        return Response(file.body, headers={"Content-Type": file.media_type, **_ATTACHED})

    async def livez(_: Request) -> Response:
        """The process answers; the database is not asked."""
        return _json({"status": "live"})

    async def readyz(request: Request) -> Response:
        """The database answers, and no projection is further behind than it may be."""
        standings = await _application(request).looks.latest()
        if standings is None:
            return _json({"status": "database unavailable"}, 503)
        behind = [s.name for s in standings if s.lag_seconds > LAG_SECONDS_MAX]
        return _json({"status": "behind" if behind else "ready", "behind": behind}, 503 if behind else 200)

    async def metricz(request: Request) -> Response:
        """Where the projections and the notices stand, for Prometheus."""
        standings = await _application(request).looks.latest()
        notices = await _application(request).notice_looks.latest()
        return Response(
            metrics(standings or [], notices), 200 if standings else 503, media_type=CONTENT_TYPE_LATEST
        )

    routes: list[BaseRoute] = [
        Route("/graphql", _guarded(graphql), methods=["POST"]),
        Route("/bundles", _guarded(bundles), methods=["POST"]),
        Route(ROUTE, _guarded(attachment), methods=["GET"]),
        Route("/livez", _guarded(livez)),
        Route("/readyz", _guarded(readyz)),
        Route("/metrics", _guarded(metricz)),
    ]
    if settings.development:
        page = StaticFiles(directory=str(files("tsuzuri.app").joinpath("graphiql")), html=True)
        routes += [
            Route("/graphiql", lambda _: RedirectResponse("/graphiql/")),
            Mount("/graphiql", page),
        ]
    server = Starlette(routes=routes, lifespan=lifespan)
    server.state.closing = asyncio.Event()
    return server


def _application(request: Request) -> TsuzuriApplication:
    application: TsuzuriApplication = request.app.state.application
    return application


def _yes(request: Request, name: str) -> bool:
    """A parameter of the URL that is true, false, or not there. Raises EdgeRefused."""
    said = request.query_params.get(name, "false")
    if said not in ("true", "false"):
        raise EdgeRefused(400, "BAD_INPUT", f"{name} is true or false")
    return said == "true"


def _guarded(handler: Handler) -> Handler:
    """Refusals and faults as answers: nothing of the driver or of a patient leaves."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except EdgeRefused as refused:
            return refused.response()
        except Exception as error:
            return fault(error).response()

    return guarded


def _json(answer: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(answer), status, headers, media_type="application/json")
