"""/livez, /readyz, /metrics: for those who run the house. They need no token, and tell of no patient and no version."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.edge_metrics import EdgeMetrics
from tsuzuri.app.metrics import metrics
from tsuzuri.app.readiness import Readiness

_HEADERS = {"Cache-Control": "no-store"}


def health_routes(edge: EdgeMetrics) -> list[Route]:
    """They ask `app.state.application` and `app.state.readiness`, which are there once the server has started."""

    async def livez(_: Request) -> Response:
        """The process answers; the database is not asked."""
        return JSONResponse({"status": "live"}, headers=_HEADERS)

    async def readyz(request: Request) -> Response:
        """503 while a request could not be answered as it must be; `failed` says why, in words of ours."""
        health = await _readiness(request).latest()
        status = "not ready" if health.failed else "ready"
        told = {"status": status, "failed": list(health.failed), "behind": list(health.behind)}
        return JSONResponse(told, 503 if health.failed else 200, _HEADERS)

    async def metricz(request: Request) -> Response:
        """For Prometheus: what is known without the database is told also when it does not answer."""
        application: TsuzuriApplication = request.app.state.application
        standings = await application.looks.latest()
        notices = await application.notice_looks.latest()
        health = await _readiness(request).latest()
        checkpoint = await application.checkpoint_looks.latest()
        told = metrics(standings or [], notices, checkpoint) + edge.told(application.services, health)
        return Response(told, headers=_HEADERS, media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metricz)]


def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness
