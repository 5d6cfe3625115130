"""Around every route: which id a request gets, what its line and its numbers say, and when its connection ends."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import structlog
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tsuzuri.app.edge import fault
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.request_metrics import RequestMetrics
from tsuzuri.app.request_watch import RequestWatch

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Watched:
    """A server of four routes under watch, and whoever asks it."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.metrics, self.closing = RequestMetrics(), asyncio.Event()
        self._capfd = capfd
        watch = Middleware(RequestWatch, metrics=self.metrics, closing=self.closing)
        routes = [Route("/bundles", _short), Route("/graphql", _faulty), Route("/documents/1", _streamed)]
        routes.append(Route("/livez", _short))
        self._transport = httpx.ASGITransport(Starlette(routes=routes, middleware=[watch]))

    def get(self, path: str, **headers: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://tsuzuri") as client:
                return await client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

        return asyncio.run(asked())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._capfd.readouterr().err.splitlines()]

    def counted(self) -> dict[tuple[str, str], float]:
        """Route and class of status → how many."""
        return {
            (sample.labels["route"], sample.labels["status"]): sample.value
            for family in text_string_to_metric_families(generate_latest(self.metrics.registry).decode())
            for sample in family.samples
            if sample.name == "tsuzuri_requests_total"
        }

    def timed(self) -> dict[str, float]:
        """Route → how many of its requests are in the histogram."""
        return {
            sample.labels["route"]: sample.value
            for family in text_string_to_metric_families(generate_latest(self.metrics.registry).decode())
            for sample in family.samples
            if sample.name == "tsuzuri_request_seconds_count"
        }


async def _short(_: Request) -> Response:
    return Response(b"12345")


async def _faulty(_: Request) -> Response:
    return fault(ValueError("never told")).response()


async def _streamed(_: Request) -> Response:
    async def pieces() -> Any:
        yield b"1"
        yield b"23"

    return StreamingResponse(pieces())


@pytest.fixture
def watched(capfd: pytest.CaptureFixture[str]) -> Iterator[Watched]:
    before = structlog.get_config()
    configure_logs()
    yield Watched(capfd)
    structlog.configure(**before)


# --- ids


def test_the_id_that_a_proxy_gave_is_told_and_logged(watched: Watched) -> None:
    answer = watched.get("/bundles", X_Request_Id="proxy-8f2a-17")

    (line,) = watched.lines()
    assert answer.headers["x-request-id"] == line["request_id"] == "proxy-8f2a-17"


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a_b", "a\tb", "12345678", "0312-3456-7890"])
def test_what_may_be_anything_or_somebodys_number_is_no_id(watched: Watched, given: str) -> None:
    told = watched.get("/bundles", X_Request_Id=given).headers["x-request-id"]

    assert UUID(told).version == 4


def test_two_requests_never_share_an_id(watched: Watched) -> None:
    first, second = (watched.get("/bundles").headers["x-request-id"] for _ in range(2))

    assert first != second


def test_a_fault_is_told_logged_and_answered_under_one_id(watched: Watched) -> None:
    answer = watched.get("/graphql", X_Request_Id="proxy-1")

    faulty, line = watched.lines()
    assert answer.headers["x-request-id"] == faulty["request_id"] == line["request_id"] == "proxy-1"
    assert "proxy-1" in answer.text and "never told" not in f"{answer.text}{faulty}"


@pytest.mark.parametrize("path", ["/nowhere", "/documents/2"])
def test_what_is_nowhere_has_an_id_too(watched: Watched, path: str) -> None:
    answer = watched.get(path)

    assert answer.status_code == 404
    assert UUID(answer.headers["x-request-id"])


# --- lines


def test_a_line_says_how_it_went(watched: Watched) -> None:
    watched.get("/bundles", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    watched.get("/documents/1")

    short, streamed = watched.lines()
    assert {key: short[key] for key in ("event", "route", "status", "bytes", "trace_id")} == {
        "event": "request",
        "route": "/bundles",
        "status": 200,
        "bytes": 5,
        "trace_id": TRACE,
    }
    assert short["duration_ms"] >= 0.0
    assert (streamed["route"], streamed["bytes"]) == ("/documents", 3)


@pytest.mark.parametrize("given", [f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}", "31415926", ""])
def test_what_is_no_trace_is_not_logged_as_one(watched: Watched, given: str) -> None:
    watched.get("/bundles", traceparent=given)

    (line,) = watched.lines()
    assert "trace_id" not in line


def test_a_path_that_is_not_ours_is_not_repeated(watched: Watched) -> None:
    watched.get("/patients/31415926?name=hanako")

    (line,) = watched.lines()
    assert line["route"] == "other"
    assert "31415926" not in f"{line}" and "hanako" not in f"{line}"


def test_being_asked_each_second_whether_we_live_fills_no_log(watched: Watched) -> None:
    watched.get("/livez")

    assert watched.lines() == []
    assert watched.counted() == {("/livez", "2xx"): 1.0}


# --- numbers


def test_requests_are_counted_by_route_and_class_of_status(watched: Watched) -> None:
    for path in ("/bundles", "/bundles", "/graphql", "/documents/1", "/nowhere", "/elsewhere"):
        watched.get(path)

    assert watched.counted() == {
        ("/bundles", "2xx"): 2.0,
        ("/graphql", "5xx"): 1.0,
        ("/documents", "2xx"): 1.0,
        ("other", "4xx"): 2.0,
    }
    assert watched.timed() == {
        "/bundles": 2.0,
        "/graphql": 1.0,
        "other": 2.0,
    }  # a stream is as long as it likes
    assert watched.metrics.in_flight == 0


# --- the end


def test_while_the_server_ends_each_answer_is_the_last_on_its_connection(watched: Watched) -> None:
    before = watched.get("/bundles")
    watched.closing.set()

    assert "connection" not in before.headers
    assert watched.get("/bundles").headers["connection"] == "close"
