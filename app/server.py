"""HTTP: the GraphQL endpoint, the intake of raw Bundles, and whether we are well. Nothing here decides anything."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any
from uuid import uuid4

import orjson
import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from psycopg import Error as DatabaseError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.edge import (
    GRAPHQL_BODY_BYTES_MAX,
    EdgeRefused,
    body_of,
    caller_of,
    failure,
    graphql_request,
)
from tsuzuri.app.metrics import metrics
from tsuzuri.app.projector import LAG_SECONDS_MAX
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.app.tokens import token_checker
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.failures import places
from tsuzuri.graphql.schema import build_schema, schema_sha256
from tsuzuri.projections.standings import Standing

_log = structlog.get_logger()
_STATUS = {"FORBIDDEN": 403, "BUNDLE_REJECTED": 422, "BUSY": 409, "LOG_UNAVAILABLE": 503}
LOOK_SECONDS = 1.0

Handler = Callable[[Request], Awaitable[Response]]


def build_server(settings: Settings, dsn: str) -> Starlette:
    """The ASGI application on one database. Raises tsuzuri.app.settings.SettingsWrong."""
    checker = token_checker(settings)
    schema = build_schema()
    digest = schema_sha256(schema)

    @contextlib.asynccontextmanager
    async def lifespan(server: Starlette) -> AsyncIterator[None]:
        async with services(settings, dsn, reader_processes=1) as opened:
            server.state.application = TsuzuriApplication(opened, digest)
            yield

    async def graphql(request: Request) -> Response:
        caller = caller_of(request, checker)
        document, variables, name = graphql_request(await body_of(request, GRAPHQL_BODY_BYTES_MAX))
        return _json(await execute(schema, _application(request), caller, document, variables, name))

    async def bundles(request: Request) -> Response:
        """POST a FHIR Bundle: 201 registered, 200 for any other outcome, 422 with place and reason."""
        caller = caller_of(request, checker)
        if caller.role is not Role.SYSTEM:  # said before up to 10 MB are taken in
            raise EdgeRefused(403, "FORBIDDEN", "only a facility's own system registers Bundles")
        body = await body_of(request, SIZE_MAX_BYTES + 1)
        try:
            registered = await _application(request).register_bundle(caller, body)
        except RequestRefused as refused:
            raise EdgeRefused(_STATUS.get(refused.code, 400), refused.code, str(refused)) from None
        answer = {
            "outcome": registered.outcome,
            "document": str(registered.document),
            "kind": registered.kind,
            "entries": registered.entries,
            "warnings": list(registered.warnings),
        }
        return _json(answer, 201 if registered.outcome == "REGISTERED" else 200)

    async def livez(_: Request) -> Response:
        """The process answers; the database is not asked."""
        return _json({"status": "live"})

    looks = Looks()

    async def readyz(request: Request) -> Response:
        """The database answers, and no projection is further behind than it may be."""
        standings = await looks.standings(_application(request))
        if standings is None:
            return _json({"status": "database unavailable"}, 503)
        behind = [s.name for s in standings if s.lag_seconds > LAG_SECONDS_MAX]
        return _json({"status": "behind" if behind else "ready", "behind": behind}, 503 if behind else 200)

    async def metricz(request: Request) -> Response:
        """Where the projections stand, for Prometheus."""
        standings = await looks.standings(_application(request))
        return Response(metrics(standings or []), 200 if standings else 503, media_type=CONTENT_TYPE_LATEST)

    routes: list[BaseRoute] = [
        Route("/graphql", _guarded(graphql), methods=["POST"]),
        Route("/bundles", _guarded(bundles), methods=["POST"]),
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
    return Starlette(routes=routes, lifespan=lifespan)


class Looks:
    """Where the projections stand. Who asks needs no token: the database is asked once a second, however many ask."""

    def __init__(self) -> None:
        self._standings: list[Standing] | None = None
        self._until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def standings(self, application: TsuzuriApplication) -> list[Standing] | None:
        """None when the database does not answer."""
        async with self._one_at_a_time:
            if time.monotonic() >= self._until:
                try:
                    self._standings = await application.projection_standings()
                except DatabaseError:
                    self._standings = None
                self._until = time.monotonic() + LOOK_SECONDS
            return self._standings


def _application(request: Request) -> TsuzuriApplication:
    application: TsuzuriApplication = request.app.state.application
    return application


def _guarded(handler: Handler) -> Handler:
    """Refusals and faults as answers: nothing of the driver or of a patient leaves."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except EdgeRefused as refused:
            return refused.response()
        except Exception as error:
            request_id = str(uuid4())
            _log.error("request_fault", request_id=request_id, fault=type(error).__name__, at=places(error))
            return failure(
                500, "INTERNAL", f"something went wrong on our side; quote {request_id} when you report it"
            )

    return guarded


def _json(answer: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(answer), status, headers, media_type="application/json")
