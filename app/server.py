"""HTTP: the GraphQL endpoint, the intake of raw Bundles, attached files, whether we are well. It decides nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from tsuzuri.app.admission import admissions
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.broken_rules import broken_rules
from tsuzuri.app.edge import EdgeRefused, body_of, caller_of, fault
from tsuzuri.app.edge_metrics import EdgeMetrics
from tsuzuri.app.graphql_endpoint import BODY_BYTES_MAX, PATH, GraphQLEndpoint
from tsuzuri.app.guard import Allowance, Guard
from tsuzuri.app.health_routes import health_routes
from tsuzuri.app.identity import identity_of
from tsuzuri.app.open_streams import OpenStreams
from tsuzuri.app.operator_door import OperatorDoor
from tsuzuri.app.readiness import Readiness
from tsuzuri.app.request_facts import note_caller
from tsuzuri.app.request_metrics import RequestMetrics
from tsuzuri.app.request_watch import RequestWatch
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.app.trusted_documents import SHIPPED, load_documents
from tsuzuri.app.web_socket import SocketLimits, Sockets
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES
from tsuzuri.domain.rules.checking import too_large
from tsuzuri.domain.rules.policies import policy_named
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.attachments import ROUTE, read_attachment
from tsuzuri.graphql.compile.planning import Plans
from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.gate import Gate
from tsuzuri.graphql.schema import build_schema, schema_sha256

BUNDLES = "/bundles"
_ATTACHED = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STATUS = {"FORBIDDEN": 403, "BUNDLE_REJECTED": 422, "BUSY": 409, "LOG_UNAVAILABLE": 503}

BUNDLE_COST, ATTACHMENT_COST = 5, 20  # as rows in tens: what they take of a caller's rate

Handler = Callable[[Request], Awaitable[Response]]


class Api(Starlette):
    """Starlette behind the Guard. What is asked of /graphql goes past its layers: they cost as much as our own."""

    def __init__(
        self,
        graphql: ASGIApp,
        larger: Mapping[str, Allowance],
        routes: Sequence[BaseRoute],
        lifespan: Lifespan[Any],
        requests: RequestMetrics,
        closing: asyncio.Event,
        settings: Settings,
    ) -> None:
        super().__init__(routes=routes, lifespan=lifespan)
        self._graphql = graphql
        self.state.closing = closing
        inside: ASGIApp = Guard(self._inside, Allowance(BODY_BYTES_MAX), larger)
        if settings.metrics_address is not None:
            inside = OperatorDoor(inside, port=settings.metrics_address[1])
        self._entrance = RequestWatch(inside, metrics=requests, closing=closing, log=settings.request_log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._entrance(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            scope["app"] = self
            await self._graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def build_server(settings: Settings, dsn: str) -> Api:
    """The ASGI application on one database. Raises tsuzuri.app.settings.SettingsWrong.

    Who serves it sets `state.closing` when the server ends, before it waits for its connections: open streams end then.
    """
    identity = identity_of(settings)
    schema = build_schema()
    digest, plans = schema_sha256(schema), Plans(schema)
    documents = load_documents(settings.documents or SHIPPED, schema)
    gate = Gate(
        trusted=documents.cards,
        trusted_only=settings.documents_only,
        development=settings.development,
    )
    operations, intake = admissions(settings)
    requests, closing = RequestMetrics(), asyncio.Event()
    beyond = {"broken": broken_rules(too_large(policy_named(settings.rules, settings.rule_severities)))}
    larger = {BUNDLES: Allowance(SIZE_MAX_BYTES + 1, beyond)}

    @contextlib.asynccontextmanager
    async def lifespan(server: Starlette) -> AsyncIterator[None]:
        async with services(settings, dsn, reader_processes=1) as opened, identity.opened(opened.logins):
            application = TsuzuriApplication(opened, digest, gate)
            server.state.application = application
            server.state.readiness = Readiness(opened.logins, application.looks)
            yield

    streams = OpenStreams()
    sockets = Sockets(schema, identity, documents.text_of, streams, settings.origins, SocketLimits())

    async def bundles(request: Request) -> Response:
        """POST a FHIR Bundle: 201 registered, 200 for any other outcome, 422 with place and reason.

        ?oral-consent=true: the patient told the sender that the recipient of this referral may read it.
        """
        caller = await caller_of(request, identity)
        note_caller(caller)
        if caller.role is not Role.SYSTEM:  # said before up to 10 MB are taken in
            raise EdgeRefused(403, "FORBIDDEN", "only a facility's own system registers Bundles")
        oral = _yes(request, "oral-consent")
        try:
            async with intake(caller, BUNDLE_COST):  # before the body: so many are in memory at once
                body = await body_of(request.receive)
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
        caller = await caller_of(request, identity)
        note_caller(caller)
        document, number = request.path_params["document"], request.path_params["number"]
        token = request.query_params.get("token", "")
        try:
            async with operations(caller, ATTACHMENT_COST):
                file = await read_attachment(_application(request), caller, document, number, token)
        except RequestRefused as refused:
            raise EdgeRefused(_STATUS.get(refused.code, 400), refused.code, str(refused)) from None
        if file is None:
            raise EdgeRefused(404, "NOT_AVAILABLE", "there is no such attachment that you may see")
        return Response(file.body, headers={"Content-Type": file.media_type, **_ATTACHED})

    routes: list[BaseRoute] = [
        Route(BUNDLES, _guarded(bundles), methods=["POST"]),
        WebSocketRoute(PATH, sockets.serve),
        Route(ROUTE, _guarded(attachment), methods=["GET"]),
        *health_routes(EdgeMetrics(requests, {"graphql": operations, "bundles": intake})),
    ]
    if settings.development:
        page = StaticFiles(directory=str(files("tsuzuri.app").joinpath("graphiql")), html=True)
        routes += [
            Route("/graphiql", lambda _: RedirectResponse("/graphiql/")),
            Mount("/graphiql", page),
        ]
    graphql = GraphQLEndpoint(schema, plans, identity, documents.text_of, operations, streams)
    return Api(graphql, larger, routes, lifespan, requests, closing, settings)


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
