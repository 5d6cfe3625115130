"""Ten thousand hostile requests to /graphql of a server as it is, one after the other, over HTTP.

Each must be answered: with no status of 500 or more, no fault of ours in its errors, no word of the driver's, and as a
refusal where nothing else would do. The server's memory may not grow by more than a little. How much of its processor a
refusal takes is told against its bar, and is no fault: machines differ.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson
from starlette.types import ASGIApp
from strawberry.asgi import GraphQL

from edge_examples import DRIVER
from torture.edge_server import Line, NoAnswer, edge_server
from torture.harness import Outcome, Torture
from torture.hostile_requests import BODIES, HostileRequest, hostile_request
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.schema import build_schema

REQUESTS, SEED = 10_000, int(os.environ.get("TSUZURI_SEED", "7"))
WARM_UP = 300  # of another seed: what a process needs in any case
GROWTH_MB, BAR_MS = 50, 50
WHOLE = 5_000  # refusals of the full form: a test asserts no time
ROLES = (Role.CLINICIAN, Role.AUDITOR, Role.OPERATOR, Role.SYSTEM)
_FAULT = re.compile(rb'"code": ?"INTERNAL"|Unexpected error|Traceback')


def fault_of(request: HostileRequest, status: int, body: bytes) -> str | None:
    """What is wrong with an answer, without what was asked."""
    if status >= 500:
        return f"was answered with status {status}"
    if _FAULT.search(body):
        return "met a fault of ours"
    messages = _messages(body)
    if word := DRIVER.search(" ".join(messages)):
        return f"was answered in the driver's words: {word[0]}"
    if request.refused and not messages:
        return "was answered as if it were good"
    return None


def _messages(body: bytes) -> list[str]:
    """Of all errors of an answer, or of the first event of a stream; what is no JSON is one message."""
    try:
        return [error["message"] for error in orjson.loads(body).get("errors") or ()]
    except (orjson.JSONDecodeError, AttributeError):
        return [body.decode("utf-8", "replace")]


def tormented(
    folder: Path,
    numbers: Sequence[int],
    stock: ASGIApp | None = None,
    path: str = "/graphql",
) -> Outcome:
    faults: list[str] = []
    counts: Counter[str] = Counter()
    refusals: list[tuple[float, str]] = []
    with edge_server(folder, stock) as server:
        line, bearers = Line(server.port), [server.bearer(role) for role in ROLES]

        def answer(number: int, request: HostileRequest) -> tuple[int, bytes]:
            headers = {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {bearers[number % len(ROLES)]}",
            }
            asked = request.path.replace("/graphql", path, 1)
            return line.send(
                request.method, asked, request.body, headers | dict(request.headers), request.chunked
            )

        for number in numbers[:WARM_UP]:
            with suppress(NoAnswer):
                answer(number, hostile_request(number, -SEED))
        before = server.memory_mb()
        for number in numbers:
            request = hostile_request(number, SEED)
            named = f"request {number} of seed {SEED} ({request.kind})"
            began = server.cpu_seconds()
            try:
                status, body = answer(number, request)
            except NoAnswer as none:
                faults.append(f"{named} got no answer: {none}")
                continue
            if fault := fault_of(request, status, body):
                faults.append(f"{named} {fault}")
            if status >= 400 or b'"errors":' in body:
                counts["refused"] += 1
                refusals.append(((server.cpu_seconds() - began) * 1000, request.kind))
            else:
                counts["ran"] += 1
        grown = server.memory_mb(most=True) - before
    if grown > GROWTH_MB:
        faults.append(f"the server grew by {grown:.0f} MB")
    refusals.sort()
    longest, kind = refusals[-1]
    p99 = refusals[int(0.99 * (len(refusals) - 1))][0]
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(counts.items()))
    verdict = "pass" if longest <= BAR_MS else "FAIL"
    if longest > BAR_MS and len(refusals) > WHOLE:
        faults.append(f"a refusal ({kind}) took {longest:.0f} ms of processor time")
    return Outcome(
        f"{told} (seed {SEED}); processor time of a refusal: p99 {p99:.0f} ms, longest {longest:.0f} ({kind};"
        f" bar {BAR_MS}: {verdict}); the server grew by {grown:.0f} MB (bar {GROWTH_MB})",
        faults,
    )


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, range(round(REQUESTS * share)))


def stock(folder: Path, share: float) -> Outcome:
    """Strawberry's own endpoint, asked what is no request at all: of documents some would keep it for ever."""
    numbers = [
        n for n in range(round(REQUESTS * min(share, 0.02))) if hostile_request(n, SEED).kind in BODIES
    ]
    return tormented(folder, numbers, GraphQL(build_schema()), "/")


TORTURE = Torture("hostile GraphQL requests", run, {"Strawberry's own endpoint": stock})
